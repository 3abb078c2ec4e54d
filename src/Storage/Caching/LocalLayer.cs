using Maintenance.Storage.Memory;

namespace Maintenance.Storage.Caching;

/// <summary>
/// A host's own short-lived copies, and the loads under way on it. Every invalidation that the host makes or hears of moves the stamp of its scope on;
/// what was read or loaded under an older stamp is not kept.
/// </summary>
internal sealed class LocalLayer(int capacity, TimeProvider timeProvider, TimeSpan sweepInterval) : IDisposable
{
    private const int Stamps = 1024;

    private readonly Lock gate = new();
    private readonly long[] stamps = new long[Stamps];
    private readonly ExpiringMap<CacheKey, byte[]?> copies = new(capacity, timeProvider, sweepInterval, WhenFull.DropSoonest);
    private readonly Dictionary<CacheKey, Flight> flights = [];

    public bool TryGet(CacheKey key, out byte[]? payload) => copies.TryGet(key, out payload);

    public long Stamp(CacheKey key)
    {
        lock (gate)
        {
            return stamps[Slot(key.Scope)];
        }
    }

    /// <summary>Keeps a copy, unless something of the scope was invalidated since the stamp was taken.</summary>
    public void Keep(CacheKey key, byte[]? payload, TimeSpan life, long stamp)
    {
        lock (gate)
        {
            if (life > TimeSpan.Zero && stamps[Slot(key.Scope)] == stamp)
            {
                copies.TrySet(key, payload, life);
            }
        }
    }

    /// <summary>Joins the load that is under way, or starts one. A load that began long ago may have missed an invalidation and is not joined.</summary>
    public Flight Join(CacheKey key, TimeSpan joinable, Func<CancellationToken, Task<Loaded>> run)
    {
        Flight flight;
        lock (gate)
        {
            if (flights.TryGetValue(key, out var current) && timeProvider.GetElapsedTime(current.Started) <= joinable && current.TryEnter())
            {
                return current;
            }

            flight = new Flight(timeProvider.GetTimestamp());
            flights[key] = flight;
        }

        flight.Start(run, () => Land(key, flight));
        return flight;
    }

    public void Forget(CacheKey key)
    {
        lock (gate)
        {
            stamps[Slot(key.Scope)]++;
            copies.Remove(key);
            flights.Remove(key);
        }
    }

    public void ForgetUser(Redis.UserReference user)
    {
        lock (gate)
        {
            stamps[Slot(user.Value)]++;
            copies.RemoveWhere((key, _) => key.User == user);
            foreach (var key in flights.Keys.Where(key => key.User == user).ToList())
            {
                flights.Remove(key);
            }
        }
    }

    public void Dispose() => copies.Dispose();

    private void Land(CacheKey key, Flight flight)
    {
        lock (gate)
        {
            if (flights.TryGetValue(key, out var current) && ReferenceEquals(current, flight))
            {
                flights.Remove(key);
            }
        }
    }

    private static int Slot(string scope) => (int)((uint)string.GetHashCode(scope, StringComparison.Ordinal) % Stamps);
}

/// <summary>What a load gave.</summary>
internal sealed record Loaded(byte[]? Payload, CacheSource Source);

/// <summary>One load that any number of callers await. It is cancelled when the last of them has gone.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design", "CA1001", Justification = "A cancellation source without a timer holds nothing, and its last waiter may cancel it at any time.")]
internal sealed class Flight(long started)
{
    private readonly Lock gate = new();
    private readonly CancellationTokenSource abandoned = new();
    private readonly TaskCompletionSource<Loaded> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int waiting = 1;

    public long Started => started;

    public bool TryEnter()
    {
        lock (gate)
        {
            return waiting > 0 && ++waiting > 0;
        }
    }

    public void Start(Func<CancellationToken, Task<Loaded>> run, Action landed) => _ = RunAsync(run, landed);

    public async Task<Loaded> WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await result.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            bool last;
            lock (gate)
            {
                last = --waiting == 0;
            }

            if (last && !result.Task.IsCompleted)
            {
                await abandoned.CancelAsync().ConfigureAwait(false);
            }
        }
    }

    private async Task RunAsync(Func<CancellationToken, Task<Loaded>> run, Action landed)
    {
        try
        {
            var loaded = await run(abandoned.Token).ConfigureAwait(false);
            landed();
            result.TrySetResult(loaded);
        }
        catch (OperationCanceledException exception)
        {
            landed();
            result.TrySetCanceled(exception.CancellationToken);
        }
        catch (Exception exception)
        {
            // The loader's own failure: every waiter gets it, and the next caller loads anew.
            landed();
            result.TrySetException(exception);
            _ = result.Task.Exception;
        }
    }
}
