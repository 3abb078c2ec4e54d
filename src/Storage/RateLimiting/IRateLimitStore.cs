namespace Maintenance.Storage.RateLimiting;

/// <summary>Limits by policy and subject, exact over all hosts.</summary>
public interface IRateLimitStore
{
    /// <summary>Takes permits, all or none. A denial takes nothing; it may count towards a block (<see cref="RateLimitPenalty"/>).</summary>
    /// <exception cref="ArgumentException">No such policy, an empty subject, or a cost below 1 or above the policy's burst.</exception>
    /// <exception cref="Redis.StorageUnavailableException">Not known. The permits may have been taken.</exception>
    Task<RateLimitResult> AcquireAsync(RateLimitRequest request, CancellationToken cancellationToken);

    /// <summary>Whether one permit could be had now, without taking it or counting a denial.</summary>
    /// <exception cref="ArgumentException">No such policy, or an empty subject.</exception>
    /// <exception cref="Redis.StorageUnavailableException">Not known.</exception>
    Task<RateLimitResult> PeekAsync(string policy, string subject, CancellationToken cancellationToken);

    /// <summary>
    /// Gives back what a request was charged, less what would have come back by itself since: so a refund never lets more through than if the
    /// request had not been made.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="charged">What <see cref="AcquireAsync"/> answered to it; a denial has nothing to refund.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether anything was given back.</returns>
    /// <exception cref="Redis.StorageUnavailableException">Not known.</exception>
    Task<bool> RefundAsync(RateLimitRequest request, RateLimitResult charged, CancellationToken cancellationToken);

    /// <summary>
    /// Forgets a subject's use and penalty, for example a user's after a successful login. Not an address's: whoever has one account would free
    /// the address for attempts at all others.
    /// </summary>
    /// <returns>Whether there was anything to forget.</returns>
    /// <exception cref="ArgumentException">No such policy, or an empty subject.</exception>
    /// <exception cref="Redis.StorageUnavailableException">Not known.</exception>
    Task<bool> ResetAsync(string policy, string subject, CancellationToken cancellationToken);
}

/// <summary>Asks for permits.</summary>
/// <param name="Policy">Name of the policy.</param>
/// <param name="Subject">
/// Who: an address, a user, an e-mail address; at most <see cref="MaxSubjectBytes"/> bytes of UTF-8. Only a hash of it is stored (which hides it from a
/// reader, not from somebody who tries all addresses).
/// </param>
/// <param name="Cost">Permits; 1 or more.</param>
public sealed record RateLimitRequest(string Policy, string Subject, int Cost = 1)
{
    /// <summary>Longest subject, in bytes of UTF-8.</summary>
    public const int MaxSubjectBytes = 4096;
}

/// <summary>What a limit said.</summary>
public enum RateLimitDecision
{
    /// <summary>The permits are the caller's.</summary>
    Allowed,

    /// <summary>Too many for now.</summary>
    Denied,

    /// <summary>Blocked for having gone on after denials.</summary>
    Penalized,
}

/// <summary>The answer of one limit.</summary>
public sealed record RateLimitResult
{
    /// <summary>The policy that answered.</summary>
    public required string Policy { get; init; }

    /// <summary>What it said.</summary>
    public required RateLimitDecision Decision { get; init; }

    /// <summary>Whether the caller may go on.</summary>
    public bool IsAllowed => Decision == RateLimitDecision.Allowed;

    /// <summary>Permits of a rested subject: the burst.</summary>
    public required int Limit { get; init; }

    /// <summary>Permits that could be taken now.</summary>
    public required int Remaining { get; init; }

    /// <summary>Time until the subject is rested, and no block lasts.</summary>
    public required TimeSpan ResetAfter { get; init; }

    /// <summary>When the same request can succeed at the earliest; null when it was allowed.</summary>
    public required TimeSpan? RetryAfter { get; init; }

    /// <summary>When it was charged, microseconds of the store's clock; a refund needs it.</summary>
    internal long AtMicroseconds { get; init; }

    /// <summary>Which of two stores charged it, because their clocks differ; null when there is only one.</summary>
    internal IRateLimitStore? ChargedBy { get; init; }
}
