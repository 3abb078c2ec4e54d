using System.Net;
using StackExchange.Redis;

namespace Maintenance.Storage.Redis;

/// <summary>What StackExchange.Redis does in its own way, in one place (docs/adr/0003-redis-client.md).</summary>
internal static class ClientCompat
{
    /// <summary>Version of the client library, for <c>maintenance_build_info</c>.</summary>
    public static string ClientVersion { get; } = typeof(ConnectionMultiplexer).Assembly.GetName().Version?.ToString(3) ?? "unknown";

    /// <summary>An endpoint for a host name or an address literal, with or without brackets.</summary>
    public static EndPoint EndPoint(string host, int port) =>
        IPAddress.TryParse(host.Trim('[', ']'), out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);

    /// <summary>Whether a server said at its last handshake that it is a replica.</summary>
    public static bool IsReplica(IServer server) => server.IsReplica;

    /// <summary>
    /// What a connection may use. Without PING the client asks TIME to see that a connection lives: Redis refuses PING while it cannot persist (MISCONF)
    /// and while it loads, and the client takes the refusal for a broken connection, so that reads, which still work then, would fail at every keep-alive.
    /// Without CONFIG it does not ask for the server's settings, which it can do without and which may hold a password (<c>masterauth</c>).
    /// </summary>
    public static CommandMap Commands { get; } = CommandMap.Create(["PING", "CONFIG"], available: false);

    /// <summary>
    /// What a connection to one node of a cluster may use, of <see cref="Commands"/>: without CLUSTER the client does not look for the others, without
    /// SUBSCRIBE it needs no second connection.
    /// </summary>
    public static CommandMap CommandsOfOneNode { get; } = CommandMap.Create(["PING", "CONFIG", "CLUSTER", "SUBSCRIBE"], available: false);

    /// <summary>Whether a server said at its handshake that it is a node of a cluster.</summary>
    public static bool IsCluster(IConnectionMultiplexer multiplexer) => Array.Exists(multiplexer.GetServers(), server => server.ServerType == ServerType.Cluster);

    /// <summary>Whether a command with <see cref="CommandFlags.NoRedirect"/> was answered by MOVED.</summary>
    public static bool IsMoved(RedisServerException exception) => exception.Message.Contains("MOVED", StringComparison.Ordinal);

    /// <summary>Whether a command with <see cref="CommandFlags.NoRedirect"/> was answered by ASK, for which the client has no other words.</summary>
    public static bool IsAsk(RedisConnectionException exception) => exception.Message.Contains("serving hashslot", StringComparison.Ordinal);

    /// <summary>The items of a multi-bulk reply; empty for a nil one.</summary>
    public static RedisResult[] Items(RedisResult result) => (RedisResult[]?)result ?? [];

    /// <summary>The text of an INFO reply. The client may render the server's verbatim string with its format in front.</summary>
    public static string InfoText(RedisResult result)
    {
        const string format = "txt:";
        var text = (string?)result ?? "";
        return text.StartsWith(format, StringComparison.Ordinal) ? text[format.Length..] : text;
    }
}
