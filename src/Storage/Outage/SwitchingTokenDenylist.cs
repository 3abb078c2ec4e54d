using Maintenance.Storage.Denylist;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Outage;

/// <summary>
/// The denylist in Redis, or in memory by choice. While Redis is away a denial holds on this host at once and is journalled; whether another token is
/// denied, nobody knows then.
/// </summary>
internal sealed class SwitchingTokenDenylist(
    Lazy<ITokenDenylist> redis,
    MemoryTokenDenylist memory,
    StorageSwitch mode,
    PendingRevocations pending,
    Revoker revoker,
    IOptionsMonitor<DenylistOptions> options,
    TimeProvider timeProvider) : ITokenDenylist
{
    /// <inheritdoc/>
    public async Task<Revocation> DenyAsync(DenylistId id, DateTimeOffset? expiresAt, string? reason, CancellationToken cancellationToken)
    {
        if (!mode.RedisWasUsed)
        {
            return await memory.DenyAsync(id, expiresAt, reason, cancellationToken).ConfigureAwait(false);
        }

        if (mode.Route() == StorageRoute.Memory)
        {
            var here = await memory.DenyAsync(id, expiresAt, reason, cancellationToken).ConfigureAwait(false);
            if (here.Ended == 0)
            {
                return here;
            }
        }
        else
        {
            DenylistGuard.Check(id);
        }

        var (answer, outcome) = await revoker.RunAsync(
            () => redis.Value.DenyAsync(id, expiresAt, reason, cancellationToken),
            () => Entry(id, expiresAt, reason),
            cancellationToken).ConfigureAwait(false);
        return outcome == RevocationOutcome.Journalled ? new Revocation(1, outcome) : answer;
    }

    /// <inheritdoc/>
    public async Task<bool> IsDeniedAsync(DenylistId id, CancellationToken cancellationToken) =>
        await FindAsync(id, cancellationToken).ConfigureAwait(false) is not null;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<bool>> AreDeniedAsync(IReadOnlyList<DenylistId> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        if (!mode.RedisWasUsed)
        {
            return await memory.AreDeniedAsync(ids, cancellationToken).ConfigureAwait(false);
        }

        var here = await memory.AreDeniedAsync(ids, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<bool> known = [.. ids.Select((id, i) => here[i] || pending.Denial(id) is not null)];
        if (mode.Route() == StorageRoute.Memory || known.All(denied => denied))
        {
            return known;
        }

        var there = await redis.Value.AreDeniedAsync(ids, cancellationToken).ConfigureAwait(false);
        return [.. known.Zip(there, (one, other) => one || other)];
    }

    /// <inheritdoc/>
    public async Task<DenylistEntry?> FindAsync(DenylistId id, CancellationToken cancellationToken)
    {
        var here = await memory.FindAsync(id, cancellationToken).ConfigureAwait(false);
        if (here is not null || !mode.RedisWasUsed || mode.Route() == StorageRoute.Memory)
        {
            return here;
        }

        return pending.Denial(id) is { } waiting
            ? new DenylistEntry(waiting.At, waiting.Until, string.IsNullOrEmpty(waiting.Reason) ? null : waiting.Reason)
            : await redis.Value.FindAsync(id, cancellationToken).ConfigureAwait(false);
    }

    private JournalledRevocation Entry(DenylistId id, DateTimeOffset? expiresAt, string? reason)
    {
        // Redis will not be asked again whether the expiry is within bounds.
        var current = options.CurrentValue;
        return expiresAt is { } expiry && expiry - timeProvider.GetUtcNow() > current.LongestLife
            ? throw DenylistGuard.TooLong(expiresAt, current)
            : new JournalledRevocation
            {
                Id = "", Kind = RevocationKind.DenylistEntry, At = default, Subject = id.Value, Until = expiresAt, Reason = DenylistGuard.Reason(reason),
            };
    }
}
