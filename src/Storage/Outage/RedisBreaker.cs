using Maintenance.Storage.Redis;
using Polly;
using Polly.CircuitBreaker;

namespace Maintenance.Storage.Outage;

/// <summary>
/// Keeps an outage from costing every request the deadline. Polly counts the calls; once open, nothing but the watch closes it, after Redis has
/// answered a probe and the journal has been replayed. No request is spent on trying.
/// </summary>
internal sealed class RedisBreaker
{
    // The longest that Polly takes; the watch closes it long before.
    private static readonly TimeSpan UntilClosed = TimeSpan.FromDays(1);

    private readonly CircuitBreakerManualControl control = new();
    private readonly ResiliencePipeline pipeline;
    private readonly Action<bool> suspected;
    private volatile bool open;

    /// <summary>Creates a closed breaker.</summary>
    /// <param name="options">When it opens.</param>
    /// <param name="timeProvider">Clock of its window.</param>
    /// <param name="suspected">Told of each failed call; true when it opened the breaker. Must return at once.</param>
    public RedisBreaker(OutageOptions options, TimeProvider timeProvider, Action<bool> suspected)
    {
        this.suspected = suspected;
        pipeline = new ResiliencePipelineBuilder { TimeProvider = timeProvider }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = options.BreakerFailureRatio,
                MinimumThroughput = options.BreakerCalls,
                SamplingDuration = options.BreakerWindow,
                BreakDuration = UntilClosed,
                ManualControl = control,
                ShouldHandle = static arguments => ValueTask.FromResult(IsOutage(arguments.Outcome.Exception)),
                OnOpened = arguments =>
                {
                    open = true;
                    if (!arguments.IsManual)
                    {
                        suspected(true);
                    }

                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }

    /// <summary>Whether calls fail at once.</summary>
    public bool IsOpen => open;

    /// <summary>Runs a call, unless the breaker is open.</summary>
    /// <exception cref="StorageUnavailableException">What the call throws; <see cref="UnavailableReason.Away"/> when it is not made.</exception>
    public async Task<T> RunAsync<T, TState>(Func<TState, CancellationToken, Task<T>> call, TState state, CancellationToken cancellationToken)
    {
        if (open)
        {
            throw Away();
        }

        try
        {
            return await pipeline.ExecuteAsync(
                static async (work, token) => await work.call(work.state, token).ConfigureAwait(false), (call, state), cancellationToken).ConfigureAwait(false);
        }
        catch (BrokenCircuitException)
        {
            throw Away();
        }
        catch (StorageUnavailableException exception) when (IsOutage(exception))
        {
            suspected(false);
            throw;
        }
    }

    /// <summary>Counts further callers of a call that has ended, for one that served several: a burst that got no answer weighs as much as its callers.</summary>
    /// <param name="callers">How many beside the one that <see cref="RunAsync"/> has counted.</param>
    /// <param name="failure">How it ended; null: well.</param>
    public async ValueTask CountAsync(int callers, Exception? failure)
    {
        for (var i = 0; i < callers && !open; i++)
        {
            var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
            await pipeline.ExecuteOutcomeAsync(
                static (_, exception) => ValueTask.FromResult(exception is null ? Outcome.FromResult(true) : Outcome.FromException<bool>(exception)), context, failure).ConfigureAwait(false);
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>Opens it: a probe has failed.</summary>
    public async Task OpenAsync()
    {
        open = true;
        await control.IsolateAsync().ConfigureAwait(false);
    }

    /// <summary>Closes it: Redis answers, and the journal has been replayed.</summary>
    public async Task CloseAsync()
    {
        await control.CloseAsync().ConfigureAwait(false);
        open = false;
    }

    internal static StorageUnavailableException Away() =>
        new(UnavailableReason.Away, "Redis is away; it is asked again in the background and not by requests.");

    // A server that only refuses writes goes on being read.
    private static bool IsOutage(Exception? exception) =>
        exception is StorageUnavailableException { OnlyWrites: false, Reason: UnavailableReason.Connection or UnavailableReason.Deadline or UnavailableReason.NotServing };
}
