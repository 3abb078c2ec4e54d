using System.Collections.Frozen;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Results;

/// <summary>
/// Loads every job's results in the background, so that each replica exports the same figures and a scrape never touches Redis. A run of this
/// replica arrives directly, also while Redis is away.
/// </summary>
public sealed class ResultsCache : BackgroundService
{
    // The first reading may come before the connection.
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);

    private readonly ResultStore store;
    private readonly TimeProvider timeProvider;
    private readonly IOptions<ResultsOptions> options;
    private readonly ILogger<ResultsCache> logger;
    private readonly FrozenDictionary<string, JobHistory> histories;
    private readonly Dictionary<string, string> newest = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool readable = true;

    /// <summary>Creates the cache; nothing is read until the host starts or <see cref="RefreshAsync"/> is called.</summary>
    public ResultsCache(
        ResultStore store,
        IEnumerable<JobRegistration> jobs,
        IEnumerable<IJobResultObserver> observers,
        JobMetrics metrics,
        IOptions<ResultsOptions> options,
        TimeProvider timeProvider,
        ILogger<ResultsCache> logger)
    {
        this.store = store;
        this.options = options;
        this.timeProvider = timeProvider;
        this.logger = logger;
        var byJob = observers.ToLookup(observer => observer.Job, StringComparer.Ordinal);
        histories = jobs.ToFrozenDictionary(
            job => job.Name, job => new JobHistory(job.Name, [.. byJob[job.Name]], metrics, logger), StringComparer.Ordinal);
    }

    /// <summary>A job's results, newest first.</summary>
    public IReadOnlyList<JobResult> Results(string job) => histories[job].Read().Results;

    /// <summary>When a run of the job last ended with success, on any replica.</summary>
    public DateTimeOffset? LastSuccess(string job) => histories[job].Read().LastSuccess;

    /// <summary>Writes a result of this replica to Redis and shows it to the observers, whether Redis took it or not.</summary>
    public async Task RecordAsync(JobResult result, CancellationToken cancellationToken)
    {
        try
        {
            await store.RecordAsync(result, cancellationToken);
        }
        catch (Exception exception) when (exception.IsOfRedis())
        {
            logger.ResultNotWritten(result.Job, result.RunId, exception.Message);
        }

        histories[result.Job].Take(result);
    }

    /// <summary>
    /// Waits for the first reading, a little: a job that goes on from its last result (a memory trend, a brake's figures) must not begin anew because
    /// the worker has just started. While Redis is away it begins all the same.
    /// </summary>
    public async Task FirstReadAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            await first.Task.WaitAsync(patience, timeProvider, cancellationToken);
        }
        catch (TimeoutException)
        {
            // As said.
        }
    }

    /// <summary>Looks once for results of other replicas.</summary>
    /// <exception cref="StorageUnavailableException">Redis did not answer.</exception>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var jobs = histories.Keys;
        var heads = await store.ReadHeadsAsync(jobs, cancellationToken);
        for (var i = 0; i < heads.Count; i++)
        {
            var (job, head) = (jobs[i], heads[i]);
            if (head.Newest is null || (newest.TryGetValue(job, out var known) && known == head.Newest))
            {
                histories[job].Merge([], head.LastSuccess);
                continue;
            }

            histories[job].Merge(await store.ReadAsync(job, cancellationToken), head.LastSuccess);
            newest[job] = head.Newest;
        }

        first.TrySetResult();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RefreshAsync(stoppingToken);
                if (!readable)
                {
                    readable = true;
                    logger.ResultsReadAgain();
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception.IsOfRedis())
            {
                if (readable)
                {
                    readable = false;
                    logger.ResultsNotRead(exception.Message);
                }
            }

            await PauseAsync(stoppingToken);
        }
    }

    private async Task PauseAsync(CancellationToken stoppingToken)
    {
        // Replicas that were started together must not ask together for ever.
        var factor = 0.8 + (Random.Shared.NextDouble() * 0.4);
        try
        {
            var interval = first.Task.IsCompleted || options.Value.RefreshInterval < FirstRetry ? options.Value.RefreshInterval : FirstRetry;
            await Task.Delay(interval * factor, timeProvider, stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // The loop's condition ends it.
        }
    }
}
