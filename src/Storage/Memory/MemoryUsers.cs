using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Memory;

/// <summary>
/// What the in-memory stores of a user's state share: the generation, and a lock a user that takes the place of a script. Ending a user's sessions
/// thereby ends refresh families, one-time tokens and challenges too.
/// </summary>
internal sealed class MemoryUsers(MemoryOptions options, TimeProvider timeProvider) : IDisposable
{
    private const int Gates = 256;

    private readonly Lock[] gates = [.. Enumerable.Range(0, Gates).Select(_ => new Lock())];
    private readonly ExpiringMap<UserReference, long> generations = new(options.MaxEntriesPerKind, timeProvider, options.SweepInterval);

    /// <summary>Now, in whole milliseconds, as Redis would say it.</summary>
    public DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(timeProvider.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>The lock of a user, shared with others by chance. May be entered again by who holds it.</summary>
    public Lock Gate(UserReference user) => gates[(uint)user.GetHashCode() % Gates];

    /// <summary>Does something with all of a user under the user's lock, at once: what a script does in Redis.</summary>
    public Task<T> LockedAsync<T>(string userId, Func<UserReference, T> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var user = UserReference.Of(userId);
        lock (Gate(user))
        {
            return Task.FromResult(work(user));
        }
    }

    /// <summary>The user's generation, microseconds; null when there is none, which denies.</summary>
    public long? Generation(UserReference user) => generations.TryGet(user, out var generation) ? generation : null;

    /// <summary>The user's generation, made if there is none, living at least this long.</summary>
    /// <exception cref="StorageUnavailableException">The store is at its cap.</exception>
    public long GenerationFor(UserReference user, TimeSpan life)
    {
        if (!generations.TryGet(user, out var generation, out var left))
        {
            generation = Microseconds();
            left = TimeSpan.Zero;
        }

        return left >= life || generations.TrySet(user, generation, life) ? generation : throw MemoryOptions.Full("generations", options.MaxEntriesPerKind);
    }

    /// <summary>Changes the generation, so that all that carries the old one is dead. Null if the store is at its cap; a missing one denies too.</summary>
    public long? Advance(UserReference user, TimeSpan life)
    {
        var next = Math.Max(Microseconds(), (Generation(user) ?? -1) + 1);
        return generations.TrySet(user, next, life) ? next : null;
    }

    /// <inheritdoc/>
    public void Dispose() => generations.Dispose();

    private long Microseconds() => (timeProvider.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
