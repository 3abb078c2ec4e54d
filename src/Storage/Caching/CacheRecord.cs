using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Maintenance.Storage.Caching;

/// <summary>
/// What stands under a key, format 1: <c>1V&lt;epoch&gt;&lt;payload&gt;</c> a value, <c>1N&lt;epoch&gt;</c> that there is none,
/// <c>1L&lt;token&gt;&lt;epoch&gt;</c> a lease. The epoch has 22 characters, or none for a value of no user.
/// </summary>
internal static class CacheRecord
{
    private const int MarkLength = 2;

    /// <summary>A new epoch or token: 16 random bytes, 22 characters.</summary>
    public static string NewToken() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));

    public static string Lease(CacheLease lease) => $"1L{lease.Token}{lease.Epoch}";

    public static byte[] Value(string epoch, byte[]? payload) =>
        payload is null ? Encoding.ASCII.GetBytes($"1N{epoch}") : [.. Encoding.ASCII.GetBytes($"1V{epoch}"), .. payload];

    /// <summary>Reads a record; one of another epoch is a miss.</summary>
    public static CacheLookup Read(ReadOnlySpan<byte> record, string epoch, TimeSpan timeToLive)
    {
        if (record.StartsWith("1L"u8))
        {
            return CacheLookup.Held;
        }

        Span<byte> expected = stackalloc byte[epoch.Length];
        Encoding.ASCII.GetBytes(epoch, expected);
        var negative = record.StartsWith("1N"u8);
        if (!negative && !record.StartsWith("1V"u8))
        {
            return CacheLookup.Held;
        }

        var rest = record[MarkLength..];
        return rest.StartsWith(expected)
            ? new CacheLookup(CacheState.Hit, negative ? null : rest[expected.Length..].ToArray(), timeToLive)
            : CacheLookup.Miss;
    }
}
