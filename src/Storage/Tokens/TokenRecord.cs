using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Tokens;

/// <summary>The header that records of refresh families, one-time tokens and challenges share; token.lua writes it.</summary>
internal readonly ref struct TokenRecord
{
    public const int HeaderLength = 21;
    public const int Version = 1;

    private const long MostMilliseconds = 253_402_300_799_999;

    private TokenRecord(ReadOnlySpan<byte> raw)
    {
        CreatedAt = Time(raw.Slice(2, 6));
        ExpiresAt = Time(raw.Slice(8, 6));
        Generation = Number(raw.Slice(14, 7));
        Rest = raw[HeaderLength..];
    }

    public DateTimeOffset CreatedAt { get; }

    public DateTimeOffset ExpiresAt { get; }

    public long Generation { get; }

    public ReadOnlySpan<byte> Rest { get; }

    /// <summary>False if this is no record of ours, or of a format that this version does not know.</summary>
    public static bool TryRead(ReadOnlySpan<byte> raw, out TokenRecord record)
    {
        record = default;
        if (raw.Length < HeaderLength || raw[0] != Version || raw[1] != 0 || !IsTime(raw.Slice(2, 6)) || !IsTime(raw.Slice(8, 6)))
        {
            return false;
        }

        record = new TokenRecord(raw);
        return true;
    }

    public static DateTimeOffset Time(ReadOnlySpan<byte> bytes) => DateTimeOffset.FromUnixTimeMilliseconds(Number(bytes));

    public static bool IsTime(ReadOnlySpan<byte> bytes) => Number(bytes) is > 0 and <= MostMilliseconds;

    public static long Number(ReadOnlySpan<byte> bytes)
    {
        long value = 0;
        foreach (var b in bytes)
        {
            value = (value << 8) | b;
        }

        return value;
    }

    /// <summary>Whether a record's user is the one that its key names.</summary>
    public static bool BelongsTo(string userId, UserReference user) =>
        userId.Length > 0 && System.Text.Encoding.UTF8.GetByteCount(userId) <= UserReference.MaxUserIdBytes && UserReference.Of(userId) == user;
}
