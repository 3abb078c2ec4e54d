using System.Threading.RateLimiting;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.RateLimiting.AspNetCore;

/// <summary>
/// One subject's limit as a <see cref="RateLimiter"/>, for ASP.NET Core's middleware and everything else that takes one. A store that does not
/// answer denies. <see cref="RateLimiter.AttemptAcquire"/> never waits for a network, so it always fails, and takes nothing: use
/// <see cref="RateLimiter.AcquireAsync"/>, which the middleware calls next.
/// </summary>
public sealed class StoreRateLimiter : RateLimiter
{
    private readonly IRateLimitStore store;
    private readonly string policy;
    private readonly string subject;
    private readonly TimeProvider timeProvider;
    private long lastUse;
    private long pending;
    private long allowed;
    private long denied;
    private long remaining;

    /// <summary>Creates the limiter of a subject.</summary>
    public StoreRateLimiter(IRateLimitStore store, string policy, string subject, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentException.ThrowIfNullOrEmpty(policy);
        ArgumentException.ThrowIfNullOrEmpty(subject);
        this.store = store;
        this.policy = policy;
        this.subject = subject;
        this.timeProvider = timeProvider ?? TimeProvider.System;
        lastUse = this.timeProvider.GetTimestamp();
    }

    /// <summary>Time since the last use; a partitioned limiter lets go of idle ones by it. All state is in the store, so nothing is lost.</summary>
    public override TimeSpan? IdleDuration =>
        Interlocked.Read(ref pending) > 0 ? null : timeProvider.GetElapsedTime(Interlocked.Read(ref lastUse));

    /// <summary>What went through this instance; permits left as the store last said.</summary>
    public override RateLimiterStatistics GetStatistics() => new()
    {
        CurrentAvailablePermits = Interlocked.Read(ref remaining),
        CurrentQueuedCount = 0,
        TotalSuccessfulLeases = Interlocked.Read(ref allowed),
        TotalFailedLeases = Interlocked.Read(ref denied),
    };

    /// <inheritdoc/>
    protected override RateLimitLease AttemptAcquireCore(int permitCount) => StoreRateLimitLease.NotAsked;

    /// <inheritdoc/>
    protected override async ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref pending);
        try
        {
            var result = permitCount == 0
                ? await store.PeekAsync(policy, subject, cancellationToken).ConfigureAwait(false)
                : await store.AcquireAsync(new RateLimitRequest(policy, subject, permitCount), cancellationToken).ConfigureAwait(false);
            Interlocked.Exchange(ref remaining, result.Remaining);
            Interlocked.Increment(ref result.IsAllowed ? ref allowed : ref denied);
            return new StoreRateLimitLease(result);
        }
        catch (StorageUnavailableException)
        {
            Interlocked.Increment(ref denied);
            return StoreRateLimitLease.Unavailable;
        }
        finally
        {
            Interlocked.Exchange(ref lastUse, timeProvider.GetTimestamp());
            Interlocked.Decrement(ref pending);
        }
    }
}
