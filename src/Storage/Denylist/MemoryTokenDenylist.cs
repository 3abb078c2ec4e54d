using Maintenance.Storage.Memory;
using Maintenance.Storage.Outage;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Denylist;

/// <summary>The denylist of one host. At its cap it refuses a denial aloud instead of forgetting another.</summary>
public sealed class MemoryTokenDenylist : ITokenDenylist, IDisposable
{
    private readonly ExpiringMap<string, DenylistEntry> entries;
    private readonly IOptionsMonitor<DenylistOptions> options;
    private readonly TimeProvider timeProvider;
    private readonly int cap;

    /// <summary>Creates an empty list.</summary>
    public MemoryTokenDenylist(IOptionsMonitor<DenylistOptions> options, IOptions<MemoryOptions> bounds, TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(bounds);
        this.options = options;
        this.timeProvider = timeProvider;
        cap = bounds.Value.MaxEntriesPerKind;
        entries = new ExpiringMap<string, DenylistEntry>(cap, timeProvider, bounds.Value.SweepInterval);
    }

    /// <summary>Entries held now.</summary>
    public int Count => entries.Count;

    /// <inheritdoc/>
    public Task<Revocation> DenyAsync(DenylistId id, DateTimeOffset? expiresAt, string? reason, CancellationToken cancellationToken)
    {
        DenylistGuard.Check(id);
        cancellationToken.ThrowIfCancellationRequested();
        var current = options.CurrentValue;
        var now = timeProvider.GetUtcNow();
        var life = expiresAt is { } expiry ? expiry - now + current.ClockSkew : current.DefaultLife;
        if (life <= TimeSpan.Zero)
        {
            return Task.FromResult(Revocation.Nothing);
        }

        if (life > current.LongestLife + current.ClockSkew)
        {
            throw DenylistGuard.TooLong(expiresAt, current);
        }

        var kept = DenylistGuard.Reason(reason);
        var entry = new DenylistEntry(now, now + life, kept.Length > 0 ? kept : null);
        var stored = entries.Compute(id.Value, (entry, life), static (ref MapSlot<DenylistEntry> slot, (DenylistEntry Entry, TimeSpan Life) state) =>
            slot.TimeToLive >= state.Life || slot.TrySet(state.Entry, state.Life));
        return stored ? Task.FromResult(Revocation.One) : throw MemoryOptions.Full(InstrumentedTokenDenylist.StoreLabel, cap);
    }

    /// <inheritdoc/>
    public Task<bool> IsDeniedAsync(DenylistId id, CancellationToken cancellationToken) => Task.FromResult(Find(id, cancellationToken) is not null);

    /// <inheritdoc/>
    public Task<IReadOnlyList<bool>> AreDeniedAsync(IReadOnlyList<DenylistId> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return Task.FromResult<IReadOnlyList<bool>>([.. ids.Select(id => Find(id, cancellationToken) is not null)]);
    }

    /// <inheritdoc/>
    public Task<DenylistEntry?> FindAsync(DenylistId id, CancellationToken cancellationToken) => Task.FromResult(Find(id, cancellationToken));

    /// <summary>Ends the sweep.</summary>
    public void Dispose() => entries.Dispose();

    private DenylistEntry? Find(DenylistId id, CancellationToken cancellationToken)
    {
        DenylistGuard.Check(id);
        cancellationToken.ThrowIfCancellationRequested();
        return entries.TryGet(id.Value, out var entry) ? entry : null;
    }
}
