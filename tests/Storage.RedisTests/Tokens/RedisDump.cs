using System.Text;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Tokens;

/// <summary>Everything that a thief of a Redis's data would read.</summary>
internal static class RedisDump
{
    /// <summary>Every key with its value, as text.</summary>
    public static async Task<string> EverythingAsync(RedisServer server)
    {
        var dump = new StringBuilder();
        foreach (var key in await server.KeysAsync())
        {
            var value = await server.StringAsync("TYPE", key) switch
            {
                "string" => await server.StringAsync("GET", key),
                "zset" => string.Join(' ', await server.ListAsync("ZRANGE", key, "0", "-1", "WITHSCORES")),
                "list" => string.Join(' ', await server.ListAsync("LRANGE", key, "0", "-1")),
                "hash" => string.Join(' ', await server.ListAsync("HGETALL", key)),
                // It has run out since the keys were listed, as what a rotated id leaves does after the grace.
                "none" => "",
                var type => throw new InvalidOperationException($"{key} is a {type}, which no store here writes."),
            };
            dump.Append(key).Append(' ').Append(value).AppendLine();
        }

        return dump.ToString();
    }
}
