using Maintenance.Storage.Memory;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.RateLimiting;

/// <summary>
/// Limits of one host, with the same arithmetic. While Redis is the store this one answers only in an outage, and then grants each policy's
/// <see cref="RateLimitPolicy.OutageShare"/>. At its cap it denies subjects that it does not hold.
/// </summary>
public sealed class MemoryRateLimitStore : IRateLimitStore, IDisposable
{
    // Far from zero, so that no time of a cell is negative.
    private const long Origin = 1_000_000_000_000;

    private readonly ExpiringMap<(string Policy, string Subject), RateCell> cells;
    private readonly IOptionsMonitor<RateLimitOptions> options;
    private readonly TimeProvider timeProvider;
    private readonly bool inOutage;
    private readonly long started;

    /// <summary>Creates an empty store.</summary>
    /// <param name="options">The policies.</param>
    /// <param name="bounds">Cap and sweep.</param>
    /// <param name="timeProvider">Its monotonic clock is the limits' clock.</param>
    /// <param name="inOutage">Whether to grant only each policy's outage share.</param>
    public MemoryRateLimitStore(IOptionsMonitor<RateLimitOptions> options, IOptions<MemoryOptions> bounds, TimeProvider timeProvider, bool inOutage = false)
    {
        ArgumentNullException.ThrowIfNull(bounds);
        ArgumentNullException.ThrowIfNull(timeProvider);
        this.options = options;
        this.timeProvider = timeProvider;
        this.inOutage = inOutage;
        started = timeProvider.GetTimestamp();
        cells = new ExpiringMap<(string, string), RateCell>(bounds.Value.MaxEntriesPerKind, timeProvider, bounds.Value.SweepInterval);
    }

    /// <summary>Subjects held now.</summary>
    public int Count => cells.Count;

    /// <inheritdoc/>
    public Task<RateLimitResult> AcquireAsync(RateLimitRequest request, CancellationToken cancellationToken)
    {
        var policy = RateLimitGuard.Check(options.CurrentValue, request);
        return Task.FromResult(Decide(policy, request.Policy, request.Subject, request.Cost, cancellationToken));
    }

    /// <inheritdoc/>
    public Task<RateLimitResult> PeekAsync(string policy, string subject, CancellationToken cancellationToken) =>
        Task.FromResult(Decide(options.CurrentValue.Find(policy), policy, subject, 0, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> RefundAsync(RateLimitRequest request, RateLimitResult charged, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(charged);
        cancellationToken.ThrowIfCancellationRequested();
        var limit = Numbers(RateLimitGuard.Check(options.CurrentValue, request));
        return Task.FromResult(charged.IsAllowed && cells.Compute(
            (request.Policy, RateLimitGuard.Hash(request.Subject)),
            (Limit: limit, request.Cost, charged.AtMicroseconds, Store: this),
            static (ref MapSlot<RateCell> slot, (RateNumbers Limit, int Cost, long At, MemoryRateLimitStore Store) state) =>
                slot.Exists
                && slot.Value.Refund(state.Limit, state.Cost, state.At, state.Store.Now()) is { } cell
                && slot.TrySet(cell, slot.TimeToLive)));
    }

    /// <inheritdoc/>
    public Task<bool> ResetAsync(string policy, string subject, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _ = options.CurrentValue.Find(policy);
        return Task.FromResult(cells.Remove((policy, RateLimitGuard.Hash(subject))));
    }

    /// <summary>Ends the sweep.</summary>
    public void Dispose() => cells.Dispose();

    private RateLimitResult Decide(RateLimitPolicy policy, string name, string subject, int cost, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var limit = Numbers(policy);
        var answer = cells.Compute(
            (name, RateLimitGuard.Hash(subject)),
            (Limit: limit, Cost: cost, Store: this),
            static (ref MapSlot<RateCell> slot, (RateNumbers Limit, int Cost, MemoryRateLimitStore Store) state) =>
            {
                var (answer, write) = RateCell.Acquire(slot.Exists ? slot.Value : null, state.Limit, state.Cost, state.Store.Now());
                return write is not { } cell || slot.TrySet(cell.Cell, TimeSpan.FromMicroseconds(cell.Life)) ? answer : (RateAnswer?)null;
            });
        return (answer ?? Refused()).ToResult(name, limit);
    }

    // No room for one subject more: the first place becomes free when the soonest cell has expired.
    private RateAnswer Refused()
    {
        var wait = Math.Max(1, (long)cells.SoonestExpiry.TotalMicroseconds);
        return new RateAnswer(RateLimitDecision.Denied, 0, wait, wait, Now());
    }

    private RateNumbers Numbers(RateLimitPolicy policy) => RateNumbers.Of(policy, inOutage ? policy.OutageShare : 1);

    private long Now() => Origin + (timeProvider.GetElapsedTime(started).Ticks / TimeSpan.TicksPerMicrosecond);
}
