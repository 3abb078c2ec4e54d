using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.RefreshTokens;

/// <summary>A chain of refresh tokens of which one is usable at a time. All times are the store's clock, in whole milliseconds.</summary>
public sealed record RefreshFamily
{
    /// <summary>Names the family; part of each of its tokens, but useless without a secret.</summary>
    public required TokenId Id { get; init; }

    /// <summary>Whose family it is.</summary>
    public required string UserId { get; init; }

    /// <summary>The session that it belongs to; null for one of its own.</summary>
    public SessionId? SessionId { get; init; }

    /// <summary>When it was started.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ends, however often it is rotated.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When the token before the current one was exchanged; equals <see cref="CreatedAt"/> until then.</summary>
    public required DateTimeOffset RotatedAt { get; init; }

    /// <summary>How often it was rotated.</summary>
    public required int Rotations { get; init; }

    /// <summary>The user's generation that it was made in, microseconds.</summary>
    public required long Generation { get; init; }
}

/// <summary>What to start a family for.</summary>
public sealed record NewRefreshFamily
{
    /// <summary>Whose it will be; 1 to 256 bytes of UTF-8.</summary>
    public required string UserId { get; init; }

    /// <summary>The session that it renews. Must be valid; ending it ends the family.</summary>
    public SessionId? SessionId { get; init; }

    /// <summary>Life instead of the configured one ("remember me"). 1 s to 400 days.</summary>
    public TimeSpan? Life { get; init; }
}

/// <summary>The answer to an issue.</summary>
/// <param name="Token">Give it to the client; it cannot be recovered. Null if nothing was issued.</param>
/// <param name="Family">What was stored.</param>
/// <param name="EvictedFamilies">Older families that had to leave because of the cap.</param>
public sealed record RefreshIssue(RefreshToken? Token, RefreshFamily? Family, int EvictedFamilies = 0)
{
    /// <summary>False: the session is not valid (it was ended while this was under way). Deny the log-in.</summary>
    public bool IsIssued => Token is not null;
}

/// <summary>How a rotation ended.</summary>
public enum RefreshOutcome
{
    /// <summary>The token was the current one; there is a new one.</summary>
    Rotated,

    /// <summary>
    /// The token was the one before, within the grace: its unused successor is void, and there is another. Of parallel rotations all but one end so.
    /// </summary>
    Replaced,

    /// <summary>The token had been used before. Somebody has a copy, so the family and its session have been ended: the user logs in again.</summary>
    Reused,

    /// <summary>Not valid.</summary>
    Denied,
}

/// <summary>The answer to a rotation.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Token">The next token, if rotated or replaced.</param>
/// <param name="Family">The family, also when it has just been ended for reuse.</param>
/// <param name="Denial">Why not, if denied.</param>
public sealed record RefreshRotation(
    RefreshOutcome Outcome, RefreshToken? Token = null, RefreshFamily? Family = null, TokenDenial Denial = TokenDenial.None);
