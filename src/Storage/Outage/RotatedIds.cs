using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Outage;

/// <summary>
/// Which ids this host has replaced lately. In Redis an old id leads to the new one for the grace only, and a revocation by the old id that has to wait for
/// Redis may be carried out later than that.
/// </summary>
internal sealed class RotatedIds(MemoryOptions options, TimeProvider timeProvider) : IDisposable
{
    private readonly ExpiringMap<(UserReference User, SessionId Id), SessionId> next = new(
        options.MaxEntriesPerKind, timeProvider, options.SweepInterval, WhenFull.DropSoonest);

    /// <summary>Remembers a rotation for the time in which the old id answers.</summary>
    public void Remember(UserReference user, SessionId from, SessionId to, TimeSpan grace) => next.TrySet((user, from), to, grace);

    /// <summary>An id, and those that have replaced it.</summary>
    public IReadOnlyList<SessionId> Follow(UserReference user, SessionId id)
    {
        var chain = new List<SessionId> { id };
        while (next.TryGet((user, chain[^1]), out var to) && !chain.Contains(to))
        {
            chain.Add(to);
        }

        return chain;
    }

    /// <inheritdoc/>
    public void Dispose() => next.Dispose();
}
