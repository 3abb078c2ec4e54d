using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.TwoFactor;

/// <summary>A log-in that waits for its second factor. All times are the store's clock, in whole milliseconds.</summary>
public sealed record TwoFactorChallenge
{
    /// <summary>Names the challenge; not a secret.</summary>
    public required TokenId Id { get; init; }

    /// <summary>Who has passed the first factor.</summary>
    public required string UserId { get; init; }

    /// <summary>How the second one is proved, for example <c>totp</c>, <c>email</c>, <c>recovery</c>.</summary>
    public required string Method { get; init; }

    /// <summary>What the host stored with it, for example "remember me" or the page to return to. Empty if nothing.</summary>
    public required string Data { get; init; }

    /// <summary>When it was begun.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ends.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Attempts counted so far.</summary>
    public required int Attempts { get; init; }

    /// <summary>Attempts that it allows.</summary>
    public required int MaxAttempts { get; init; }

    /// <summary>Attempts left; 0 when it is locked.</summary>
    public int AttemptsLeft => Math.Max(0, MaxAttempts - Attempts);

    /// <summary>Whether no further attempt is let through.</summary>
    public bool IsLocked => AttemptsLeft == 0;
}

/// <summary>What to begin a challenge with.</summary>
public sealed record NewTwoFactorChallenge
{
    /// <summary>Bytes of UTF-8 that a method's name may take.</summary>
    public const int MaxMethodBytes = 32;

    /// <summary>Bytes of UTF-8 that <see cref="Data"/> may take.</summary>
    public const int MaxDataBytes = 1024;

    /// <summary>Who has passed the first factor; 1 to 256 bytes of UTF-8.</summary>
    public required string UserId { get; init; }

    /// <summary>How the second one is proved; 1 to <see cref="MaxMethodBytes"/> bytes.</summary>
    public required string Method { get; init; }

    /// <summary>Given back with the challenge. Never a secret.</summary>
    public string? Data { get; init; }

    /// <summary>
    /// A code that was sent to the user, to be compared by <see cref="ITwoFactorStore.RedeemCodeAsync"/>. Stored only as a hash together with the
    /// challenge's secret, which no store has: guessing through the few codes of a stolen hash leads nowhere.
    /// </summary>
    public string? Code { get; init; }
}

/// <summary>The answer to a beginning.</summary>
/// <param name="Token">Give it to the client (it is the MFA token); it cannot be recovered. Null if the user is locked.</param>
/// <param name="Challenge">What was stored.</param>
/// <param name="RetryAfter">When the user is locked: how long still.</param>
public sealed record TwoFactorStart(SecretToken? Token, TwoFactorChallenge? Challenge, TimeSpan RetryAfter = default)
{
    /// <summary>False: too many attempts over all of the user's challenges, or what is remembered of them cannot be read.</summary>
    public bool IsBegun => Token is not null;
}

/// <summary>How an attempt or a completion ended.</summary>
public enum TwoFactorOutcome
{
    /// <summary>The attempt is counted and let through: compare the code now, then complete.</summary>
    Allowed,

    /// <summary>The second factor is proved; the challenge is used up. Of any number of callers one gets this.</summary>
    Completed,

    /// <summary>The code is not the one that was sent.</summary>
    WrongCode,

    /// <summary>The challenge has no attempts left.</summary>
    Locked,

    /// <summary>The user has no attempts left over all challenges, for the time that the answer names.</summary>
    UserLocked,

    /// <summary>The time step, or a later one, has been accepted before: somebody repeats a code.</summary>
    StepUsed,

    /// <summary>No attempt was counted before the completion; the host has left out a step.</summary>
    NotAttempted,

    /// <summary>No such challenge.</summary>
    Denied,
}

/// <summary>The answer to an attempt or a completion.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Challenge">The challenge, unless denied.</param>
/// <param name="Denial">Why not, if denied.</param>
/// <param name="RetryAfter">When the user is locked: how long still.</param>
public sealed record TwoFactorAttempt(
    TwoFactorOutcome Outcome, TwoFactorChallenge? Challenge = null, TokenDenial Denial = TokenDenial.None, TimeSpan RetryAfter = default)
{
    internal static TwoFactorAttempt Denied(TokenDenial denial) => new(TwoFactorOutcome.Denied, Denial: denial);
}
