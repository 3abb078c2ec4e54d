using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.OneTimeTokens;

/// <summary>The bytes of a one-time token after the header that token.lua writes: user id and data, as texts.</summary>
internal static class OneTimeTokenFormat
{
    /// <summary>Header, a user id of one byte, no data.</summary>
    public const int Shortest = TokenRecord.HeaderLength + 3;

    /// <exception cref="ArgumentException">A field is out of its bounds.</exception>
    public static byte[] EncodeBody(string userId, string? data)
    {
        var body = new RecordWriter();
        body.WriteText(userId, UserReference.MaxUserIdBytes, nameof(userId));
        body.WriteText(data ?? "", OneTimeToken.MaxDataBytes, nameof(data));
        return body.ToArray();
    }

    /// <summary>Reads a token; null if it is torn or another user's.</summary>
    public static OneTimeToken? Decode(UserReference user, TokenId id, OneTimePurpose purpose, ReadOnlySpan<byte> raw)
    {
        if (!TokenRecord.TryRead(raw, out var record))
        {
            return null;
        }

        var body = new RecordReader(record.Rest);
        var userId = body.ReadText();
        var data = body.ReadText();
        return body.Complete && TokenRecord.BelongsTo(userId, user)
            ? new OneTimeToken { Id = id, Purpose = purpose, UserId = userId, Data = data, CreatedAt = record.CreatedAt, ExpiresAt = record.ExpiresAt }
            : null;
    }
}
