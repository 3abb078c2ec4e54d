using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;

namespace Maintenance.Storage.Denylist;

/// <summary>Measures another denylist. A lookup is <c>denied</c> or <c>miss</c>, one count a token.</summary>
public sealed class InstrumentedTokenDenylist(ITokenDenylist inner, AuthStoreMetrics metrics, TimeProvider timeProvider) : ITokenDenylist
{
    /// <summary>Value of the label <c>store</c>.</summary>
    public const string StoreLabel = "denylist";

    internal static readonly string[] Operations = ["deny", "is_denied", "are_denied", "find"];

    private readonly StoreMeter meter = new(StoreLabel, metrics, timeProvider);

    /// <inheritdoc/>
    public Task<Revocation> DenyAsync(DenylistId id, DateTimeOffset? expiresAt, string? reason, CancellationToken cancellationToken) =>
        meter.MeasureAsync("deny", () => inner.DenyAsync(id, expiresAt, reason, cancellationToken));

    /// <inheritdoc/>
    public async Task<bool> IsDeniedAsync(DenylistId id, CancellationToken cancellationToken)
    {
        var denied = await meter.MeasureAsync("is_denied", () => inner.IsDeniedAsync(id, cancellationToken)).ConfigureAwait(false);
        Count(denied);
        return denied;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<bool>> AreDeniedAsync(IReadOnlyList<DenylistId> ids, CancellationToken cancellationToken)
    {
        var denied = await meter.MeasureAsync("are_denied", () => inner.AreDeniedAsync(ids, cancellationToken)).ConfigureAwait(false);
        foreach (var one in denied)
        {
            Count(one);
        }

        return denied;
    }

    /// <inheritdoc/>
    public async Task<DenylistEntry?> FindAsync(DenylistId id, CancellationToken cancellationToken)
    {
        var entry = await meter.MeasureAsync("find", () => inner.FindAsync(id, cancellationToken)).ConfigureAwait(false);
        Count(entry is not null);
        return entry;
    }

    private void Count(bool denied) => meter.Lookup(denied ? "denied" : "miss");
}
