using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.RedisTests;

/// <summary>What every test of a job needs: options of a server, a context, and a run that becomes a result as the runner makes it.</summary>
internal static class JobHarness
{
    /// <summary>The replica that runs the jobs.</summary>
    public const string Replica = "test";

    /// <summary>With a call and with a connection.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // A stall of a shared machine is no outage, nor one of the thread that connects: without a connection the first call fails at once, whatever its deadline.
    public static RedisOptions Options(RespServer server) => new() { Url = server.Url, Deadline = Patience, ConnectTimeout = Patience };

    public static IOptionsMonitor<T> Monitor<T>(T value)
        where T : class => new FixedMonitor<T>(value);

    public static async Task<JobResult> RunAsync(IMaintenanceJob job, params IJobResultObserver[] observers)
    {
        var context = new JobContext { Budget = WorkBudget.FullSpeed(TimeProvider.System), Brake = new Brake(new BrakeOptions()) };
        var started = TimeProvider.System.GetUtcNow();
        await job.RunAsync(context, CancellationToken.None);
        var (counts, warnings, errors, unavailable, snapshot) = context.Report.Close();
        var result = new JobResult
        {
            Job = job.Name,
            RunId = Guid.NewGuid().ToString("N"),
            Replica = Replica,
            Started = started,
            DurationSeconds = (TimeProvider.System.GetUtcNow() - started).TotalSeconds,
            Outcome = errors.Count == 0 ? JobOutcome.Success : JobOutcome.Failed,
            Counts = counts,
            Warnings = warnings,
            Errors = errors,
            Unavailable = unavailable,
            Snapshot = snapshot,
        };
        foreach (var observer in observers)
        {
            observer.Observe(result);
        }

        return result;
    }

    private sealed class FixedMonitor<T>(T value) : IOptionsMonitor<T>
    {
        public T CurrentValue { get; } = value;

        public T Get(string? name) => CurrentValue;

        public IDisposable? OnChange(Action<T, string?> listener) => null;
    }
}
