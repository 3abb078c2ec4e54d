using System.Diagnostics.Metrics;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.Lease;
using Maintenance.Worker.Results;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Maintenance.Worker.RedisTests.Scheduling;

/// <summary>A replica of the worker in this process, with one job whose work the test writes.</summary>
internal sealed class RunnerHarness : IAsyncDisposable
{
    public const string JobName = "keyspace-stats";

    private readonly ServiceProvider provider;

    public RunnerHarness(
        string url,
        Func<JobContext, CancellationToken, Task> work,
        string replica = "a",
        LeaselessRuns leaseless = LeaselessRuns.Never,
        TimeSpan? lease = null,
        JobOptions? options = null,
        TimeSpan? deadline = null,
        params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)).Concat(
            [
                KeyValuePair.Create("Storage:Redis:Url", (string?)url),
                KeyValuePair.Create("Lease:Duration", (string?)$"{lease ?? TimeSpan.FromSeconds(30)}"),
                // All are long: neither a call nor a connection nor a lease of a test of something else is lost to a stall of a busy machine.
                KeyValuePair.Create("Storage:Redis:Deadline", (string?)$"{deadline ?? JobHarness.Patience}"),
                KeyValuePair.Create("Storage:Redis:ConnectTimeout", (string?)$"{JobHarness.Patience}"),
            ])).Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddSingleton<ILoggerFactory>(Logs);
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddSingleton<IMeterFactory>(Meters);
        services.AddSingleton<IHostApplicationLifetime>(Lifetime);
        services.AddMaintenanceWorker(configuration);
        services.AddSingleton(new ReplicaName(replica));
        services.AddSingleton(new FakeJob(work));
        // In place of the real jobs.
        foreach (var registration in services.Where(service => service.ServiceType == typeof(JobRegistration)).ToList())
        {
            services.Remove(registration);
        }

        services.AddSingleton(new JobRegistration(
            JobName, leaseless, services => services.GetRequiredService<FakeJob>(), _ => options ?? new JobOptions { Schedule = "00:00:10" }));
        provider = services.BuildServiceProvider();
    }

    public LogCollector Logs { get; } = new();

    public TestMeterFactory Meters { get; } = new();

    /// <summary>Connects before the first call, whose deadline a cold process may miss.</summary>
    public Task ConnectAsync() =>
        Eventually.TrueAsync(() => provider.GetRequiredService<RedisConnection>().ConnectAsync(CancellationToken.None), TimeSpan.FromSeconds(30));

    public FakeLifetime Lifetime { get; } = new();

    public JobRunner Runner => provider.GetRequiredService<JobRunner>();

    public JobLease Lease => provider.GetRequiredService<JobLease>();

    public ResultStore Store => provider.GetRequiredService<ResultStore>();

    public ResultsCache Cache => provider.GetRequiredService<ResultsCache>();

    public RunsEnding Ending => ActivatorUtilities.CreateInstance<RunsEnding>(provider);

    public QuartzMaintenanceJob Firing => ActivatorUtilities.CreateInstance<QuartzMaintenanceJob>(provider);

    public ScheduleBoard Board => provider.GetRequiredService<ScheduleBoard>();

    public JobRegistration Registration => provider.GetRequiredService<JobRegistration>();

    public PauseState Pause => provider.GetRequiredService<PauseState>();

    public Task<JobResult> RunAsync(DateTimeOffset? due = null, bool dryRun = false, CancellationToken cancellationToken = default) =>
        Runner.RunAsync(new RunRequest(JobName) { Due = due, DryRun = dryRun }, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await provider.DisposeAsync();
        Lifetime.Dispose();
    }

    internal sealed class FakeLifetime : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource stopping = new();

        public CancellationToken ApplicationStarted => new(canceled: true);

        public CancellationToken ApplicationStopping => stopping.Token;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => stopping.Cancel();

        public void Dispose() => stopping.Dispose();
    }

    private sealed class FakeJob(Func<JobContext, CancellationToken, Task> work) : IMaintenanceJob
    {
        public string Name => JobName;

        public Task RunAsync(JobContext context, CancellationToken cancellationToken) => work(context, cancellationToken);
    }
}
