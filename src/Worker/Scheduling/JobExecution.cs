using Maintenance.Storage.Redis;
using Maintenance.Worker.Lease;

namespace Maintenance.Worker.Scheduling;

/// <summary>Lets a job do its work and judges how it ended; knows nothing of leases and schedules.</summary>
public sealed class JobExecution(IServiceProvider provider, RunLog log, ReplicaName replica, TimeProvider timeProvider)
{
    internal async Task<(RunEnding Ending, JobReport Report, TimeSpan Duration)> WorkAsync(
        JobRegistration job, RunRequest request, string runId, CancellationToken stop)
    {
        var options = job.Options(provider);
        var context = new JobContext
        {
            DryRun = request.DryRun,
            Budget = request.FullSpeed ? WorkBudget.FullSpeed(timeProvider) : new WorkBudget(options.Budget, timeProvider),
            Brake = new Brake(options.Brake),
            Progress = request.Progress,
        };
        using var span = JobTrace.Start(job.Name, runId, request.DryRun);
        var began = timeProvider.GetTimestamp();
        var ending = await RunJobAsync(job, context, runId, stop);
        JobTrace.Ended(span, ending);
        return (ending, context.Report, timeProvider.GetElapsedTime(began));
    }

    internal JobResult Result(RunRequest request, string runId, DateTimeOffset started, RunEnding ending, JobReport? report = null, TimeSpan duration = default)
    {
        var closed = (report ?? new JobReport()).Close();
        return new JobResult
        {
            Job = request.Job,
            RunId = runId,
            Replica = replica.Value,
            OneShot = replica.OneShot,
            Due = request.Due,
            Started = started,
            DurationSeconds = Math.Round(duration.TotalSeconds, 3),
            Outcome = ending.Outcome,
            Reason = ending.Reason,
            DryRun = request.DryRun,
            Braked = ending.Braked,
            Counts = closed.Counts,
            Warnings = closed.Warnings,
            Errors = closed.Errors,
            ErrorCount = report?.ErrorCount ?? 0,
            Unavailable = closed.Unavailable,
            Snapshot = closed.Snapshot,
        };
    }

    private async Task<RunEnding> RunJobAsync(JobRegistration job, JobContext context, string runId, CancellationToken stop)
    {
        try
        {
            await job.Job(provider).RunAsync(context, stop);
            return new RunEnding(context.Report.ErrorCount > 0 ? JobOutcome.Failed : JobOutcome.Success);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return new RunEnding(JobOutcome.Canceled);
        }
        catch (BrakeException exception)
        {
            context.Report.Error(exception.Message);
            return new RunEnding(JobOutcome.Failed, "brake", Braked: true);
        }
        catch (StorageUnavailableException exception)
        {
            context.Report.Error($"Redis unavailable: {exception.Message}");
            return new RunEnding(JobOutcome.Failed, RunEnding.RedisUnavailable);
        }
        catch (Exception exception)
        {
            context.Report.Error($"{exception.GetType().Name}: {exception.Message}");
            log.Broke(exception, job.Name, runId);
            return new RunEnding(JobOutcome.Failed);
        }
    }
}

/// <summary>How a run ended.</summary>
internal sealed record RunEnding(JobOutcome Outcome, string? Reason = null, bool Braked = false)
{
    public const string LeaseLost = "lease lost";
    public const string Canceled = "canceled";
    public const string RedisUnavailable = "redis unavailable";
    public const string LeaseNotConfirmed = "lease not confirmed: Redis did not answer at the end";
}
