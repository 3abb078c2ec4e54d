using Maintenance.Storage.Caching;

namespace Maintenance.Storage.RedisTests.Caching;

public sealed record Plan(string Name, int Seats);

/// <summary>Where values come from in these tests: counts its loads, and can be held up.</summary>
internal sealed class Source
{
    private TaskCompletionSource? gate;
    private int loads;

    public Plan? Value { get; set; } = new("small", 1);

    public Exception? Failure { get; set; }

    public int Loads => Volatile.Read(ref loads);

    public bool WasCancelled { get; private set; }

    /// <summary>Every load that begins from now on reads its value and then waits until this is completed.</summary>
    public TaskCompletionSource Hold() => gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void LetGo() => gate = null;

    public async Task<Plan?> LoadAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref loads);
        var value = Value;
        if (gate is { } held)
        {
            try
            {
                await held.Task.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                WasCancelled = true;
                throw;
            }
        }

        return Failure is null ? value : throw Failure;
    }

    public Task<CacheResult<Plan>> GetAsync(Tokens.AuthBed bed, CacheKey key, TimeSpan? life = null) =>
        bed.Get<AuthCache>().GetOrCreateAsync(key, LoadAsync, CancellationToken.None, life);
}
