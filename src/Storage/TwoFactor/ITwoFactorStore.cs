using Maintenance.Storage.Redis;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.TwoFactor;

/// <summary>
/// Log-ins between first and second factor. A challenge ends with the user's generation.
/// Every method throws <see cref="StorageUnavailableException"/> when the store does not answer within the deadline; a caller without an answer denies.
/// </summary>
/// <remarks>
/// A code that the host can compare itself (TOTP): <see cref="AttemptAsync"/>, compare, <see cref="CompleteAsync"/>. A code that was sent:
/// <see cref="RedeemCodeAsync"/> alone.
/// </remarks>
public interface ITwoFactorStore
{
    /// <summary>Begins a challenge; with more than <see cref="TwoFactorOptions.MaxActivePerUser"/> the oldest leaves.</summary>
    /// <exception cref="ArgumentException">A field is out of its bounds; nothing was stored.</exception>
    Task<TwoFactorStart> BeginAsync(NewTwoFactorChallenge challenge, CancellationToken cancellationToken);

    /// <summary>Reads a challenge without counting anything, for the page that asks for the code. Null if there is none.</summary>
    Task<TwoFactorChallenge?> PeekAsync(string? token, CancellationToken cancellationToken);

    /// <summary>Counts an attempt and says whether it may be made. Counted for the challenge and for the user.</summary>
    /// <param name="token">What the client sent; anything, null included.</param>
    /// <param name="cancellationToken">Ends the wait. The attempt may be counted all the same.</param>
    Task<TwoFactorAttempt> AttemptAsync(string? token, CancellationToken cancellationToken);

    /// <summary>Ends a challenge whose code was right, and forgives the user's earlier mistakes.</summary>
    /// <param name="token">The same token as at the attempt.</param>
    /// <param name="timeStep">Of a TOTP code: the step that it belongs to (Unix time by 30 s). Accepted once a user. Null for other methods.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<TwoFactorAttempt> CompleteAsync(string? token, long? timeStep, CancellationToken cancellationToken);

    /// <summary>Counts an attempt, compares the code that was sent, and ends the challenge if it is right: all in one step.</summary>
    Task<TwoFactorAttempt> RedeemCodeAsync(string? token, string? code, CancellationToken cancellationToken);

    /// <summary>The challenge of a user that would last longest, and is not locked; null if there is none.</summary>
    Task<TwoFactorChallenge?> FindActiveAsync(string userId, CancellationToken cancellationToken);

    /// <summary>Ends one challenge.</summary>
    /// <returns>Whether there was one to end.</returns>
    Task<bool> CancelAsync(string userId, TokenId id, CancellationToken cancellationToken);

    /// <summary>Ends all of a user's challenges. The attempts stay counted.</summary>
    /// <returns>Records deleted.</returns>
    Task<int> CancelAllAsync(string userId, CancellationToken cancellationToken);

    /// <summary>
    /// Forgives the attempts that count over all of a user's challenges, and so ends its lock: an administrator says so. A challenge that is locked
    /// by itself stays so, and a time step that was accepted stays used.
    /// </summary>
    /// <returns>Whether there was anything to forgive.</returns>
    Task<bool> ForgiveAsync(string userId, CancellationToken cancellationToken);
}
