using Maintenance.Storage.Histories.Truth;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Storage.Tokens.Repair;
using Maintenance.Testing;
using Maintenance.Worker.IndexReconciliation;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using Maintenance.Worker.SessionCleanup;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Histories.Sweeping;

/// <summary>
/// The worker's two jobs, as the runner would run them without a budget. Between any two of their calls other clients may change everything.
/// </summary>
internal sealed class Sweeper(RedisConnection connection, RedisKeys keys, SessionRepair repair)
{
    private static readonly SweepMetrics Metrics = new(new TestMeterFactory());

    public Task CleanupAsync(CancellationToken cancellationToken) => RunAsync(
        new SessionCleanupJob(connection, keys, repair, new TokenRepair(connection, keys), new Fixed<SessionCleanupOptions>(new SessionCleanupOptions()), Metrics), cancellationToken);

    /// <param name="verifyGenerations">Only then the store agrees in everything afterwards: without, records that a generation denies may stay.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    public Task ReconcileAsync(bool verifyGenerations, CancellationToken cancellationToken) => RunAsync(
        new IndexReconciliationJob(
            connection,
            keys,
            repair,
            new TokenRepair(connection, keys),
            new Fixed<IndexReconciliationOptions>(new IndexReconciliationOptions { VerifyGenerations = verifyGenerations }),
            Metrics,
            TimeProvider.System),
        cancellationToken);

    private static async Task RunAsync(IMaintenanceJob job, CancellationToken cancellationToken)
    {
        var context = new JobContext { Budget = WorkBudget.FullSpeed(TimeProvider.System), Brake = new Brake(new BrakeOptions()) };
        await job.RunAsync(context, cancellationToken);
        if (context.Report.ErrorCount > 0)
        {
            throw new ViolationException(ViolationKind.CallFailed, $"{job.Name}: {string.Join("; ", context.Report.Close().Errors)}");
        }
    }

    private sealed class Fixed<T>(T value) : IOptionsMonitor<T>
    {
        public T CurrentValue => value;

        public T Get(string? name) => value;

        public IDisposable? OnChange(Action<T, string?> listener) => null;
    }
}
