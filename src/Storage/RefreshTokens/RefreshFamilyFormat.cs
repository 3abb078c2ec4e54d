using System.Text;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.RefreshTokens;

/// <summary>The bytes of a family; family.lua holds the same layout and writes them.</summary>
internal static class RefreshFamilyFormat
{
    /// <summary>Bytes before the user id, and one of it.</summary>
    public const int Shortest = TokenRecord.HeaderLength + 77;

    private const int SessionStart = 54;
    private const int UserStart = 76;

    /// <summary>Reads a family; null if it is torn or another user's.</summary>
    public static RefreshFamily? Decode(UserReference user, TokenId id, ReadOnlySpan<byte> raw)
    {
        if (raw.Length < Shortest || !TokenRecord.TryRead(raw, out var record) || !TokenRecord.IsTime(record.Rest[..6]))
        {
            return null;
        }

        var session = Encoding.ASCII.GetString(record.Rest[SessionStart..UserStart]);
        var userId = Encoding.UTF8.GetString(record.Rest[UserStart..]);
        return TokenRecord.BelongsTo(userId, user)
            ? new RefreshFamily
            {
                Id = id,
                UserId = userId,
                SessionId = SessionId.TryParse(session, out var sessionId) ? sessionId : null,
                CreatedAt = record.CreatedAt,
                ExpiresAt = record.ExpiresAt,
                RotatedAt = TokenRecord.Time(record.Rest[..6]),
                Rotations = (int)Math.Min(TokenRecord.Number(record.Rest.Slice(6, 4)), int.MaxValue),
                Generation = record.Generation,
            }
            : null;
    }
}
