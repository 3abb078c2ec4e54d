using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Outage;

/// <summary>
/// Rate limits in Redis, exact over all hosts; in memory by choice; and while Redis is away each host grants its own share of each limit, so that neither
/// everybody nor nobody gets through.
/// </summary>
internal sealed class SwitchingRateLimitStore(
    Lazy<IRateLimitStore> redis, IRateLimitStore memory, IRateLimitStore share, StorageSwitch mode, OutageOptions options) : IRateLimitStore
{
    /// <inheritdoc/>
    public Task<RateLimitResult> AcquireAsync(RateLimitRequest request, CancellationToken cancellationToken) =>
        AskAsync(store => store.AcquireAsync(request, cancellationToken));

    /// <inheritdoc/>
    public Task<RateLimitResult> PeekAsync(string policy, string subject, CancellationToken cancellationToken) =>
        AskAsync(store => store.PeekAsync(policy, subject, cancellationToken));

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
        return await Chosen.ResetAsync(policy, subject, cancellationToken).ConfigureAwait(false) || here;
    }

    private IRateLimitStore Chosen => mode.Route() == StorageRoute.Memory ? memory : redis.Value;

    private async Task<RateLimitResult> AskAsync(Func<IRateLimitStore, Task<RateLimitResult>> ask)
    {
        var store = Chosen;
        try
        {
            return await ask(store).ConfigureAwait(false) with { ChargedBy = store };
        }
        catch (StorageUnavailableException) when (mode.FallsBack(options.RateLimits))
        {
            return await ask(share).ConfigureAwait(false) with { ChargedBy = share };
        }
    }
}
