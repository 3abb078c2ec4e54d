using System.Net;
using StackExchange.Redis;

namespace Maintenance.Storage.Redis;

/// <summary>The only file that knows which line of StackExchange.Redis it is compiled against (docs/adr/0003-redis-client.md).</summary>
internal static class ClientCompat
{
#if REDIS_CLIENT_3
    /// <summary>Whether the client can authenticate as an ACL user.</summary>
    public const bool SupportsAclUser = true;
#else
    /// <summary>Whether the client can authenticate as an ACL user.</summary>
    public const bool SupportsAclUser = false;
#endif

    /// <summary>Version of the client library, for <c>maintenance_build_info</c>.</summary>
    public static string ClientVersion { get; } = typeof(ConnectionMultiplexer).Assembly.GetName().Version?.ToString(3) ?? "unknown";

    /// <summary>Settings that exist in one line only.</summary>
    public static void Apply(ConfigurationOptions configuration, string? user)
    {
#if REDIS_CLIENT_3
        configuration.User = user;
        configuration.BacklogPolicy = BacklogPolicy.FailFast;
        configuration.SetClientLibrary = false;
#else
        _ = configuration;
        _ = user;
#endif
    }

    /// <summary>Lets continuations run at once instead of one after the other (200 continuations of 5 ms: 499 ms against 1002 ms).</summary>
    public static void Apply(ConnectionMultiplexer multiplexer)
    {
#if REDIS_CLIENT_3
        _ = multiplexer;
#else
        multiplexer.PreserveAsyncOrder = false;
#endif
    }

    /// <summary>An endpoint for a host name or an address literal, with or without brackets.</summary>
    public static EndPoint EndPoint(string host, int port) =>
        IPAddress.TryParse(host.Trim('[', ']'), out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);

    /// <summary>Whether a server said at its last handshake that it is a replica.</summary>
    public static bool IsReplica(IServer server) =>
#if REDIS_CLIENT_3
        server.IsReplica;
#else
        server.IsSlave;
#endif

    /// <summary>The items of a multi-bulk reply; empty for a nil one.</summary>
    public static RedisResult[] Items(RedisResult result) => (RedisResult[]?)result ?? [];

    /// <summary>The text of an INFO reply. Line 3 renders the server's verbatim string with its format in front.</summary>
    public static string InfoText(RedisResult result)
    {
        const string format = "txt:";
        var text = (string?)result ?? "";
        return text.StartsWith(format, StringComparison.Ordinal) ? text[format.Length..] : text;
    }
}
