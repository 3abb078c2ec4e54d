using Maintenance.Storage.Redis;
using Microsoft.Extensions.Logging;
using Npgsql;
using Polly;
using Polly.CircuitBreaker;

namespace Maintenance.Archive;

/// <summary>
/// Keeps a database that hangs from costing every log-in and every look-up the deadline, and the host its connections. Once open, one call after each
/// pause tries; the others fail at once.
/// </summary>
internal sealed class ArchiveBreaker
{
    // The database has answered: it is there, whatever it said. These say that it is not there for us.
    private static readonly HashSet<string> Away =
    [
        PostgresErrorCodes.AdminShutdown, PostgresErrorCodes.CrashShutdown, PostgresErrorCodes.CannotConnectNow, PostgresErrorCodes.TooManyConnections,
    ];

    private readonly ResiliencePipeline pipeline;
    private readonly string place;

    public ArchiveBreaker(PostgresArchiveOptions options, string place, TimeProvider timeProvider, ILogger logger)
    {
        this.place = place;
        pipeline = new ResiliencePipelineBuilder { TimeProvider = timeProvider }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 0.5,
                MinimumThroughput = options.BreakerCalls,
                SamplingDuration = options.BreakerWindow,
                BreakDuration = options.BreakerPause,
                ShouldHandle = static arguments => ValueTask.FromResult(IsOutage(arguments.Outcome.Exception)),
                OnOpened = arguments =>
                {
                    logger.ArchiveAway(place, arguments.BreakDuration.TotalSeconds, arguments.Outcome.Exception?.Message ?? "");
                    return ValueTask.CompletedTask;
                },
                OnClosed = _ =>
                {
                    logger.ArchiveBack(place);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }

    /// <summary>Runs a call, unless the breaker is open.</summary>
    /// <exception cref="StorageUnavailableException">What the call throws, or that it was not made.</exception>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await pipeline.ExecuteAsync(
                static async (work, token) => await work(token).ConfigureAwait(false), call, cancellationToken).ConfigureAwait(false);
        }
        catch (BrokenCircuitException exception)
        {
            throw new StorageUnavailableException(
                UnavailableReason.Archive, $"The archive at {place} is away; it is asked again after a pause ({nameof(PostgresArchiveOptions.BreakerPause)}).", exception);
        }
    }

    private static bool IsOutage(Exception? exception) =>
        exception is StorageUnavailableException unavailable
        && (unavailable.InnerException?.GetBaseException() is not PostgresException answered || Away.Contains(answered.SqlState));
}
