using System.Text;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.TwoFactor;

/// <summary>The bytes of a challenge after the header that token.lua writes; two_factor.lua holds the same layout.</summary>
internal static class ChallengeFormat
{
    /// <summary>Header, attempts, limit, code, a user id and a method of one byte each, no data.</summary>
    public const int Shortest = TokenRecord.HeaderLength + TextStart + 5;

    private const int TextStart = 26;
    private static readonly byte[] NoCode = [.. Enumerable.Repeat((byte)'.', TokenId.Length)];

    /// <exception cref="ArgumentException">A field is out of its bounds.</exception>
    public static byte[] EncodeBody(NewTwoFactorChallenge challenge, int maxAttempts, SecretToken token)
    {
        if (string.IsNullOrEmpty(challenge.Method))
        {
            throw new ArgumentException("A challenge needs a method.", nameof(challenge));
        }

        var body = new RecordWriter();
        body.WriteBytes([0, 0, (byte)(maxAttempts >> 8), (byte)maxAttempts]);
        body.WriteBytes(HashCode(token, challenge.Code) is { } hash ? Encoding.ASCII.GetBytes(hash.Value) : NoCode);
        body.WriteText(challenge.UserId, UserReference.MaxUserIdBytes, nameof(challenge.UserId));
        body.WriteText(challenge.Method, NewTwoFactorChallenge.MaxMethodBytes, nameof(challenge.Method));
        body.WriteText(challenge.Data ?? "", NewTwoFactorChallenge.MaxDataBytes, nameof(challenge.Data));
        return body.ToArray();
    }

    /// <summary>What is stored of a sent code; null if there is none. The secret in front makes a hash of six digits as hard to guess as the token.</summary>
    public static TokenId? HashCode(SecretToken token, string? code) => string.IsNullOrEmpty(code) ? null : TokenId.OfSecret($"{token.Secret}.{code}");

    /// <summary>Reads a challenge; null if it is torn or another user's.</summary>
    public static TwoFactorChallenge? Decode(UserReference user, TokenId id, ReadOnlySpan<byte> raw)
    {
        if (raw.Length < Shortest || !TokenRecord.TryRead(raw, out var record))
        {
            return null;
        }

        var body = new RecordReader(record.Rest[TextStart..]);
        var userId = body.ReadText();
        var method = body.ReadText();
        var data = body.ReadText();
        return body.Complete && TokenRecord.BelongsTo(userId, user)
            ? new TwoFactorChallenge
            {
                Id = id,
                UserId = userId,
                Method = method,
                Data = data,
                CreatedAt = record.CreatedAt,
                ExpiresAt = record.ExpiresAt,
                Attempts = (int)TokenRecord.Number(record.Rest[..2]),
                MaxAttempts = (int)TokenRecord.Number(record.Rest.Slice(2, 2)),
            }
            : null;
    }
}
