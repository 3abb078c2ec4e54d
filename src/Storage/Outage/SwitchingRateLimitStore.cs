using System.Collections.Concurrent;
using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.Redis;
using StackExchange.Redis;

namespace Maintenance.Storage.Outage;

/// <summary>
/// Rate limits in Redis, exact over all hosts; in memory by choice; and while Redis is away each host grants its own share of each limit, so that neither
/// everybody nor nobody gets through. What was to be forgotten meanwhile is forgotten in Redis when it is back.
/// </summary>
internal sealed class SwitchingRateLimitStore(
    Lazy<IRateLimitStore> redis, IRateLimitStore memory, IRateLimitStore share, StorageSwitch mode, OutageOptions options) : IRateLimitStore
{
    // A bound, not a promise: what it does not hold stays limited until it lapses.
    private const int MostPending = 10_000;
    private const int ForgottenAtOnce = 200;

    private readonly ConcurrentDictionary<(string Policy, string Subject), bool> pending = [];

    private IRateLimitStore Chosen => mode.Route() == StorageRoute.Memory ? memory : redis.Value;

    /// <inheritdoc/>
    public Task<RateLimitResult> AcquireAsync(RateLimitRequest request, CancellationToken cancellationToken) =>
        AskAsync(request.Policy, request.Subject, store => store.AcquireAsync(request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<RateLimitResult> PeekAsync(string policy, string subject, CancellationToken cancellationToken) =>
        AskAsync(policy, subject, store => store.PeekAsync(policy, subject, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RefundAsync(RateLimitRequest request, RateLimitResult charged, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(charged);
        // To the store that charged: the clocks of two stores have nothing to do with each other.
        return (charged.ChargedBy ?? Chosen).RefundAsync(request, charged, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<bool> ResetAsync(string policy, string subject, CancellationToken cancellationToken)
    {
        var here = await share.ResetAsync(policy, subject, cancellationToken).ConfigureAwait(false);
        try
        {
            var done = await Chosen.ResetAsync(policy, subject, cancellationToken).ConfigureAwait(false) || here;
            pending.TryRemove((policy, subject), out _);
            return done;
        }
        catch (StorageUnavailableException) when (mode.FallsBack(options.RateLimits) && pending.Count < MostPending)
        {
            // On this host it holds now. What Redis remembers is not known, so it counts as something.
            pending[(policy, subject)] = true;
            return true;
        }
    }

    private async Task<RateLimitResult> AskAsync(
        string policy, string subject, Func<IRateLimitStore, Task<RateLimitResult>> ask, CancellationToken cancellationToken)
    {
        var store = Chosen;
        try
        {
            if (!pending.IsEmpty && store != memory && mode.Route() == StorageRoute.Redis)
            {
                await CatchUpAsync(store, policy, subject, cancellationToken).ConfigureAwait(false);
            }

            return await ask(store).ConfigureAwait(false) with { ChargedBy = store };
        }
        catch (StorageUnavailableException) when (mode.FallsBack(options.RateLimits))
        {
            return await ask(share).ConfigureAwait(false) with { ChargedBy = share };
        }
    }

    // The subject that is asked about first, and some more with it: after an outage each request does a little of what is left.
    private async Task CatchUpAsync(IRateLimitStore store, string policy, string subject, CancellationToken cancellationToken)
    {
        if (pending.ContainsKey((policy, subject)))
        {
            await ForgetAsync(store, (policy, subject), cancellationToken).ConfigureAwait(false);
        }

        await Task.WhenAll(pending.Keys.Take(ForgottenAtOnce).Select(key => ForgetAsync(store, key, cancellationToken))).ConfigureAwait(false);
    }

    private async Task ForgetAsync(IRateLimitStore store, (string Policy, string Subject) key, CancellationToken cancellationToken)
    {
        try
        {
            await store.ResetAsync(key.Policy, key.Subject, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ArgumentException or RedisServerException)
        {
            // The policy is gone, or Redis refuses: it would refuse again.
        }

        pending.TryRemove(key, out _);
    }
}
