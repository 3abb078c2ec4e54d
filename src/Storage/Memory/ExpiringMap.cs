using System.Diagnostics.CodeAnalysis;

namespace Maintenance.Storage.Memory;

/// <summary>What a full map does with one key more.</summary>
internal enum WhenFull
{
    /// <summary>Refuses it: for everything whose loss would let somebody in.</summary>
    Refuse,

    /// <summary>Lets go of what expires soonest: for caches.</summary>
    DropSoonest,
}

/// <summary>What became of an addition.</summary>
internal enum MapAddition
{
    /// <summary>It is stored.</summary>
    Added,

    /// <summary>The key has a live value, which stays.</summary>
    Exists,

    /// <summary>The map is at its cap.</summary>
    Full,
}

/// <summary>
/// The ground of every in-memory store: keys with a life, a cap, expiry on read and by a sweep. One lock, held for one step of at most
/// O(log n): entries are kept in order of expiry too, so neither the sweep nor a full map walks over what lives.
/// Time is the provider's monotonic clock, so a step of the wall clock neither ends nor lengthens a life.
/// </summary>
internal sealed class ExpiringMap<TKey, TValue> : IDisposable
    where TKey : notnull
{
    // A life beyond this is a mistake of the caller, and its timestamp could overflow.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    private readonly Lock gate = new();
    private readonly Dictionary<TKey, Entry> entries;
    private readonly SortedSet<Entry> byExpiry = new(SoonestFirst.Instance);
    private readonly int capacity;
    private readonly WhenFull whenFull;
    private readonly TimeProvider timeProvider;
    private readonly ITimer sweep;
    private long sequence;

    public ExpiringMap(
        int capacity, TimeProvider timeProvider, TimeSpan? sweepInterval = null, WhenFull whenFull = WhenFull.Refuse, IEqualityComparer<TKey>? comparer = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        this.capacity = capacity;
        this.timeProvider = timeProvider;
        this.whenFull = whenFull;
        entries = new Dictionary<TKey, Entry>(comparer);
        var interval = sweepInterval ?? MemoryOptions.DefaultSweepInterval;
        sweep = timeProvider.CreateTimer(static state => ((ExpiringMap<TKey, TValue>)state!).Sweep(), this, interval, interval);
    }

    /// <summary>Entries held, expired ones included until a read or a sweep finds them; never above the cap.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return entries.Count;
            }
        }
    }

    /// <summary>How long until the entry that expires soonest leaves; zero when there is none.</summary>
    public TimeSpan SoonestExpiry
    {
        get
        {
            lock (gate)
            {
                return byExpiry.Min is { } soonest && Left(soonest) > TimeSpan.Zero ? Left(soonest) : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Reads a live value.</summary>
    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value) => TryGet(key, out value, out _);

    /// <summary>Reads a live value and how long it will live.</summary>
    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value, out TimeSpan timeToLive)
    {
        lock (gate)
        {
            var entry = Live(key);
            (value, timeToLive) = entry is null ? (default, TimeSpan.Zero) : (entry.Value, Left(entry));
            return entry is not null;
        }
    }

    /// <summary>Stores a value, over another or new. False when the key is new and the map full.</summary>
    public bool TrySet(TKey key, TValue value, TimeSpan life) =>
        Compute(key, (value, life), static (ref MapSlot<TValue> slot, (TValue Value, TimeSpan Life) state) => slot.TrySet(state.Value, state.Life));

    /// <summary>Stores a value under a key that has none.</summary>
    public MapAddition Add(TKey key, TValue value, TimeSpan life) =>
        Compute(key, (value, life), static (ref MapSlot<TValue> slot, (TValue Value, TimeSpan Life) state) =>
            slot.Exists ? MapAddition.Exists : slot.TrySet(state.Value, state.Life) ? MapAddition.Added : MapAddition.Full);

    /// <summary>Takes a value out: of any number of callers one gets it.</summary>
    public bool TryTake(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (gate)
        {
            var entry = Live(key);
            value = entry is null ? default : entry.Value;
            if (entry is not null)
            {
                Drop(entry);
            }

            return entry is not null;
        }
    }

    /// <summary>Removes a key. Whether it had a live value.</summary>
    public bool Remove(TKey key) => TryTake(key, out _);

    /// <summary>Reads, decides and writes one key as one step: the in-memory counterpart of a script.</summary>
    public TResult Compute<TState, TResult>(TKey key, TState state, MapCompute<TValue, TState, TResult> compute)
    {
        lock (gate)
        {
            var entry = Live(key);
            var slot = new MapSlot<TValue>(
                entry is null ? default : entry.Value, entry is null ? null : Left(entry), entry is not null || HasRoom());
            var result = compute(ref slot, state);
            switch (slot.Change)
            {
                case SlotChange.Set:
                    Put(key, entry, slot.NewValue!, slot.NewLife);
                    break;
                case SlotChange.Remove when entry is not null:
                    Drop(entry);
                    break;
                default:
                    break;
            }

            return result;
        }
    }

    /// <summary>A copy of what lives now, soonest expiry first.</summary>
    public IReadOnlyList<(TKey Key, TValue Value, TimeSpan TimeToLive)> Snapshot()
    {
        lock (gate)
        {
            DropExpired();
            return [.. byExpiry.Select(entry => (entry.Key, entry.Value, Left(entry)))];
        }
    }

    /// <summary>Removes what matches, for example all of a user. Walks over everything.</summary>
    /// <returns>Live values removed.</returns>
    public int RemoveWhere(Func<TKey, TValue, bool> matches)
    {
        lock (gate)
        {
            DropExpired();
            Entry[] doomed = [.. byExpiry.Where(entry => matches(entry.Key, entry.Value))];
            Array.ForEach(doomed, Drop);
            return doomed.Length;
        }
    }

    /// <summary>Removes everything.</summary>
    public void Clear()
    {
        lock (gate)
        {
            entries.Clear();
            byExpiry.Clear();
        }
    }

    /// <summary>Removes what has expired; the timer calls it.</summary>
    public void Sweep()
    {
        lock (gate)
        {
            DropExpired();
        }
    }

    /// <summary>Ends the sweep.</summary>
    public void Dispose() => sweep.Dispose();

    private bool HasRoom()
    {
        if (entries.Count >= capacity)
        {
            DropExpired();
        }

        return entries.Count < capacity || whenFull == WhenFull.DropSoonest;
    }

    private void Put(TKey key, Entry? old, TValue value, TimeSpan life)
    {
        if (old is not null)
        {
            Drop(old);
        }
        else if (entries.Count >= capacity)
        {
            Drop(byExpiry.Min!);
        }

        var bounded = life < Longest ? life : Longest;
        // Rounded up: a life never ends before its time.
        var ticks = (long)Math.Ceiling(bounded.TotalSeconds * timeProvider.TimestampFrequency);
        var entry = new Entry(key, value, timeProvider.GetTimestamp() + ticks, sequence++);
        entries.Add(key, entry);
        byExpiry.Add(entry);
    }

    private Entry? Live(TKey key)
    {
        if (!entries.TryGetValue(key, out var entry))
        {
            return null;
        }

        if (entry.ExpiresAt > timeProvider.GetTimestamp())
        {
            return entry;
        }

        Drop(entry);
        return null;
    }

    private void DropExpired()
    {
        var now = timeProvider.GetTimestamp();
        while (byExpiry.Min is { } soonest && soonest.ExpiresAt <= now)
        {
            Drop(soonest);
        }
    }

    private void Drop(Entry entry)
    {
        entries.Remove(entry.Key);
        byExpiry.Remove(entry);
    }

    private TimeSpan Left(Entry entry) => timeProvider.GetElapsedTime(timeProvider.GetTimestamp(), entry.ExpiresAt);

    private sealed record Entry(TKey Key, TValue Value, long ExpiresAt, long Sequence);

    private sealed class SoonestFirst : IComparer<Entry>
    {
        public static readonly SoonestFirst Instance = new();

        public int Compare(Entry? x, Entry? y)
        {
            var byTime = x!.ExpiresAt.CompareTo(y!.ExpiresAt);
            return byTime != 0 ? byTime : x.Sequence.CompareTo(y.Sequence);
        }
    }
}
