using System.Collections.Concurrent;
using System.Collections.Frozen;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Lease;
using Maintenance.Worker.Results;

namespace Maintenance.Worker.Scheduling;

/// <summary>
/// Runs jobs: pause, lease, budget and brake before; result, metrics and one log line after. Scheduled runs and those that a person asks for take
/// the same way.
/// </summary>
public sealed class JobRunner
{
    // Redis is often away for seconds only, and a due time may be one of four a day.
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(5);

    private readonly JobExecution execution;
    private readonly FrozenDictionary<string, JobRegistration> jobs;
    private readonly JobLease lease;
    private readonly PauseState pause;
    private readonly ResultsCache results;
    private readonly JobMetrics metrics;
    private readonly RunLog log;
    private readonly TimeProvider timeProvider;
    private readonly IHostApplicationLifetime lifetime;
    private readonly ConcurrentDictionary<string, RunningJob> running = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, RunElsewhere> elsewhere = new(StringComparer.Ordinal);

    // The last run of each job, ended or not: a run may have been asked for by somebody who does not wait for it.
    private readonly ConcurrentDictionary<string, Task> completions = new(StringComparer.Ordinal);

    /// <summary>Creates the runner.</summary>
    public JobRunner(
        JobExecution execution,
        IEnumerable<JobRegistration> jobs,
        JobLease lease,
        PauseState pause,
        ResultsCache results,
        JobMetrics metrics,
        RunLog log,
        TimeProvider timeProvider,
        IHostApplicationLifetime lifetime)
    {
        this.execution = execution;
        this.jobs = jobs.ToFrozenDictionary(job => job.Name, StringComparer.Ordinal);
        this.lease = lease;
        this.pause = pause;
        this.results = results;
        this.metrics = metrics;
        this.log = log;
        this.timeProvider = timeProvider;
        this.lifetime = lifetime;
    }

    /// <summary>The run of a job that is under way on this replica, or null.</summary>
    public RunningJob? Running(string job) => running.GetValueOrDefault(job) is { Begun: true } run ? run : null;

    /// <summary>The replica that this one last saw holding the job's lease, and when; null if it has seen none.</summary>
    internal RunElsewhere? Elsewhere(string job) => elsewhere.GetValueOrDefault(job);

    /// <summary>Waits until every run of this replica has ended: its lease given back, its result written.</summary>
    /// <param name="cancellationToken">Ends the wait, not the runs.</param>
    public Task EndedAsync(CancellationToken cancellationToken) => Task.WhenAll(completions.Values).WaitAsync(cancellationToken);

    /// <summary>Runs a job and waits for its end.</summary>
    public async Task<JobResult> RunAsync(RunRequest request, CancellationToken cancellationToken) =>
        await (await BeginAsync(request, cancellationToken)).Completion;

    /// <summary>
    /// Runs a job for a due time. While another replica has it, this one looks again every third of a lease: if the other one ends without having
    /// done it, this one does. A run that got no lease, or broke off, because Redis was away is tried again, less and less often. It gives up when the
    /// next due time has come.
    /// </summary>
    public async Task<JobResult> RunDueAsync(RunRequest request, DateTimeOffset nextDue, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        var retry = FirstRetry;
        var told = false;
        while (true)
        {
            var start = await BeginAsync(request, told, cancellationToken);
            var wait = lease.RetryInterval;
            if (start.Refusal != RunRefusal.Running)
            {
                var result = await start.Completion;
                if (!RedisWasAway(result) || timeProvider.GetUtcNow() + retry >= nextDue)
                {
                    Count(result, start.Refusal);
                    return result;
                }

                // One result says that there is no lease; the tries that find the same add nothing.
                told = start.Refusal == RunRefusal.NoLease;
                (wait, retry) = (retry, retry * 2 < LongestRetry ? retry * 2 : LongestRetry);
            }
            else if (timeProvider.GetUtcNow() + wait >= nextDue)
            {
                var result = await start.Completion;
                Count(result, start.Refusal);
                return result;
            }

            await Task.Delay(wait, timeProvider, waiting.Token);
        }
    }

    /// <summary>Runs a job once for its answer: no pause, no lease, nothing recorded.</summary>
    public async Task<JobResult> ProbeAsync(string name, CancellationToken cancellationToken)
    {
        var request = new RunRequest(name);
        var runId = NewRunId();
        var started = timeProvider.GetUtcNow();
        var (ending, report, duration) = await execution.WorkAsync(jobs[name], request, runId, cancellationToken);
        return execution.Result(request, runId, started, ending, report, duration);
    }

    /// <summary>Begins a run; the work goes on in the background.</summary>
    /// <param name="request">What to run.</param>
    /// <param name="cancellationToken">Ends the run, not only the wait.</param>
    public Task<RunStart> BeginAsync(RunRequest request, CancellationToken cancellationToken) => BeginAsync(request, noLeaseIsTold: false, cancellationToken);

    private async Task<RunStart> BeginAsync(RunRequest request, bool noLeaseIsTold, CancellationToken cancellationToken)
    {
        var job = jobs[request.Job];
        var runId = NewRunId();
        var started = timeProvider.GetUtcNow();
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return Refuse(RunRefusal.Stopping, "this replica is stopping");
        }

        if (!running.TryAdd(job.Name, new RunningJob(runId, started, request.Due, request.DryRun, Begun: false)))
        {
            return Refuse(RunRefusal.Running, "a run is under way on this replica");
        }

        var begun = false;
        try
        {
            HeldLease? held = null;
            try
            {
                if (await pause.GetAsync(cancellationToken) is { } paused)
                {
                    return Refuse(RunRefusal.Paused, paused.Reason);
                }

                var claim = await lease.ClaimAsync(job.Name, request.Due, runId, cancellationToken, request.Interval, job.Leaseless);
                switch (claim.Outcome)
                {
                    case ClaimOutcome.Done:
                        return Refuse(RunRefusal.Done, "another replica has done it");
                    case ClaimOutcome.Early:
                        return Refuse(RunRefusal.ClockAhead, "this replica's clock is ahead of Redis's by more than an interval");
                    case ClaimOutcome.Held:
                        elsewhere[job.Name] = new RunElsewhere(claim.Replica!, timeProvider.GetUtcNow());
                        return Refuse(RunRefusal.Running, $"a run is under way on {claim.Replica}");
                    default:
                        held = claim.Lease;
                        break;
                }
            }
            catch (Exception exception) when (exception.IsOfRedis())
            {
                if (!MayRunWithoutLease(job, exception))
                {
                    var failed = execution.Result(request, runId, started, new RunEnding(JobOutcome.Failed, RunEnding.RedisUnavailable)) with { Errors = [$"No lease: {exception.Message}"], ErrorCount = 1 };
                    return new RunStart(runId, RunRefusal.NoLease, noLeaseIsTold ? Task.FromResult(failed) : CloseAsync(failed));
                }

                log.WithoutLease(job.Name, exception.Message);
            }

            begun = true;
            running[job.Name] = new RunningJob(runId, started, request.Due, request.DryRun, Begun: true);
            var completion = Task.Run(() => ExecuteAsync(job, request, runId, started, held, cancellationToken), CancellationToken.None);
            completions[job.Name] = completion;
            return new RunStart(runId, RunRefusal.None, completion);
        }
        finally
        {
            if (!begun)
            {
                running.TryRemove(job.Name, out _);
            }
        }

        RunStart Refuse(RunRefusal refusal, string reason) =>
            new(runId, refusal, Task.FromResult(execution.Result(request, runId, started, new RunEnding(JobOutcome.Skipped, reason))));
    }

    /// <summary>Whether the due time was not done only because Redis did not answer; a lease that was lost may have been lost to nobody.</summary>
    private static bool RedisWasAway(JobResult result) => result is
        { Outcome: JobOutcome.Failed, Reason: RunEnding.RedisUnavailable } or { Outcome: JobOutcome.Canceled, Reason: RunEnding.LeaseLost or RunEnding.LeaseNotConfirmed };

    private static string NewRunId() => Guid.NewGuid().ToString("N")[..12];

    private static bool MayRunWithoutLease(JobRegistration job, Exception exception) => job.Leaseless switch
    {
        LeaselessRuns.WhenUnavailable => true,
        LeaselessRuns.WhenFull => exception.IsOfFullRedis(),
        _ => false,
    };

    private async Task<JobResult> ExecuteAsync(
        JobRegistration job, RunRequest request, string runId, DateTimeOffset started, HeldLease? held, CancellationToken cancellationToken)
    {
        metrics.Running(job.Name, running: true);
        try
        {
            await using var heldUntilEnd = held;
            var lost = held?.Lost ?? CancellationToken.None;
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping, lost);
            var (ending, report, duration) = await execution.WorkAsync(job, request, runId, stop.Token);
            if (ending.Outcome == JobOutcome.Canceled)
            {
                ending = ending with { Reason = lost.IsCancellationRequested ? RunEnding.LeaseLost : lifetime.ApplicationStopping.IsCancellationRequested ? "shutdown" : RunEnding.Canceled };
            }

            ending = await EndLeaseAsync(job, request, held, ending);
            return await CloseAsync(execution.Result(request, runId, started, ending, report, duration));
        }
        finally
        {
            running.TryRemove(job.Name, out _);
            metrics.Running(job.Name, running: false);
        }
    }

    /// <summary>Marks the due time as done, or gives it to the others; only the holder's success counts.</summary>
    private static async Task<RunEnding> EndLeaseAsync(JobRegistration job, RunRequest request, HeldLease? held, RunEnding ending)
    {
        if (held is null)
        {
            return ending;
        }

        // Not canceled with the run: each call has a deadline of its own, and what was done must be told.
        if (ending.Outcome == JobOutcome.Canceled || (request.Due is not null && ending.Reason == RunEnding.RedisUnavailable))
        {
            await held.ReleaseAsync(CancellationToken.None);
            return ending;
        }

        var end = await held.CompleteAsync(CancellationToken.None);
        return end switch
        {
            // A failure, or the brake, is told whoever has the lease now; only that Redis was away may be how the lease was lost.
            LeaseEnd.Lost when ending.Outcome == JobOutcome.Success || ending.Reason == RunEnding.RedisUnavailable =>
                new RunEnding(JobOutcome.Canceled, RunEnding.LeaseLost),
            LeaseEnd.Unknown when ending.Outcome == JobOutcome.Success && job.Leaseless != LeaselessRuns.WhenUnavailable =>
                new RunEnding(JobOutcome.Canceled, RunEnding.LeaseNotConfirmed),
            _ => ending,
        };
    }

    private async Task<JobResult> CloseAsync(JobResult result)
    {
        log.Ended(result);
        metrics.Ended(result);
        await results.RecordAsync(result, CancellationToken.None);
        return result;
    }

    private void Count(JobResult result, RunRefusal refusal)
    {
        // What another replica has done is no run that did not take place: with two replicas one of them meets that at each due time.
        if (result.Outcome == JobOutcome.Skipped && refusal is not (RunRefusal.None or RunRefusal.Done))
        {
            log.Skipped(result);
            metrics.Ended(result);
        }
    }
}

/// <summary>A run of another replica, as this one met it.</summary>
/// <param name="Replica">Who has it.</param>
/// <param name="Seen">When this replica last saw that, by its own clock.</param>
internal sealed record RunElsewhere(string Replica, DateTimeOffset Seen);

/// <summary>A run under way.
/// <param name="RunId">Identifies it.</param>
/// <param name="Started">When it was asked for, this replica's clock.</param>
/// <param name="Due">When it was due; null if a person asked for it.</param>
/// <param name="DryRun">Whether it only looks.</param>
/// <param name="Begun">Whether it has its lease; before that it only keeps a second one of this replica away.</param>
public sealed record RunningJob(
    string RunId, DateTimeOffset Started, DateTimeOffset? Due, bool DryRun, [property: System.Text.Json.Serialization.JsonIgnore] bool Begun);
