using System.Text;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <summary>Looks at what lies in Redis, and damages it, past the store.</summary>
internal static class RedisData
{
    public static async Task<byte[]> ValueAsync(this RespServer server, string key) =>
        (byte[]?)await server.ExecuteRawAsync("GET"u8.ToArray(), Encoding.UTF8.GetBytes(key)) ?? [];

    /// <summary>Overwrites a value, TTL kept.</summary>
    public static Task PlantAsync(this RespServer server, string key, byte[] value) =>
        server.ExecuteRawAsync("SET"u8.ToArray(), Encoding.UTF8.GetBytes(key), value, "KEEPTTL"u8.ToArray());

    /// <summary>Changes some bytes of a value in place.</summary>
    public static async Task PatchAsync(this RespServer server, string key, int offset, params byte[] bytes)
    {
        var value = await server.ValueAsync(key);
        bytes.CopyTo(value, offset);
        await server.PlantAsync(key, value);
    }

    public static Task<long> TtlAsync(this RespServer server, string key) => server.IntegerAsync("PTTL", key);

    public static async Task<long> TimeAsync(this RespServer server)
    {
        var time = await server.ListAsync("TIME");
        return (long.Parse(time[0]) * 1000) + (long.Parse(time[1]) / 1000);
    }

    /// <summary>Every key and every value or member, as bytes.</summary>
    public static async Task<IReadOnlyList<byte[]>> DumpAsync(this RespServer server)
    {
        List<byte[]> all = [];
        foreach (var key in await server.KeysAsync())
        {
            all.Add(Encoding.UTF8.GetBytes(key));
            var name = Encoding.UTF8.GetBytes(key);
            var value = await server.StringAsync("TYPE", key) switch
            {
                "string" => await server.ExecuteRawAsync("GET"u8.ToArray(), name),
                "zset" => await server.ExecuteRawAsync("ZRANGE"u8.ToArray(), name, "0"u8.ToArray(), "-1"u8.ToArray()),
                // It has run out since the keys were listed.
                "none" => null,
                var type => throw new InvalidDataException($"{key} is a {type}, which the data model does not know."),
            };
            all.AddRange(value switch
            {
                object?[] items => items.Cast<byte[]>(),
                byte[] one => [one],
                _ => [],
            });
        }

        return all;
    }

    /// <summary>Calls of a command since CONFIG RESETSTAT.</summary>
    public static async Task<long> CallsAsync(this RespServer server, string command)
    {
        var line = (await server.StringAsync("INFO", "commandstats"))!
            .Split("\r\n")
            .FirstOrDefault(line => line.StartsWith($"cmdstat_{command}:calls=", StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line.Split('=')[1].Split(',')[0]);
    }

    /// <summary>A number of INFO.</summary>
    public static async Task<long> InfoAsync(this RespServer server, string field) =>
        long.Parse((await server.StringAsync("INFO", "all"))!
            .Split("\r\n")
            .First(line => line.StartsWith(field + ":", StringComparison.Ordinal))[(field.Length + 1)..]);
}
