using Maintenance.Testing;
using Maintenance.Worker.Demo;
using Maintenance.Worker.RedisTests;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Pages.BrowserTests.Status;

/// <summary>A real worker on a real Redis with a damaged store and a history.</summary>
public sealed class StatusBed : IAsyncLifetime
{
    private RedisServer? server;

    internal WorkerProcess Worker { get; private set; } = null!;

    internal IReadOnlyDictionary<DemoDamage, long> Planted { get; private set; } = null!;

    public Uri Address => Worker.Http.BaseAddress!;

    public RedisServer Server => server!;

    public async Task InitializeAsync()
    {
        server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryBytes = 24_000_000, MaxMemoryPolicy = "noeviction" });
        Planted = await StoredHistory.PlantAsync(server);
        // Once a day, half a day from now.
        var schedule = $"0 0 {TimeProvider.System.GetUtcNow().AddHours(12).Hour} * * ?";
        Worker = await WorkerProcess.StartAsync(
            server.Url,
            ("Jobs__KeyspaceStats__Jitter", "00:00:01"),
            // Only a click runs it; and this one only below, when the samples before its own are there.
            ("Jobs__IndexReconciliation__Schedule", schedule),
            ("Jobs__MemoryAlerts__Schedule", schedule),
            // A busy machine must not make the runs wait for it.
            ("Storage__Redis__Deadline", "00:00:20"),
            ("Jobs__IndexReconciliation__Budget__DutyCycle", "1"),
            ("Jobs__IndexReconciliation__Budget__SlowdownRatio", "1000"),
            ("Jobs__SessionCleanup__Budget__DutyCycle", "1"),
            ("Jobs__SessionCleanup__Budget__SlowdownRatio", "1000"),
            ("Jobs__KeyspaceStats__Budget__DutyCycle", "1"),
            ("Jobs__KeyspaceStats__Budget__SlowdownRatio", "1000"),
            // This machine's pings are not what is shown.
            ("Jobs__RedisHealth__PingP99Degraded", "00:01:00"),
            ("Jobs__RedisHealth__SlowCommandDegraded", "00:01:00"),
            ("Results__RefreshInterval", "00:00:01"),
            ("Alerting__DriftAbove", "100"),
            ("Alerting__RunbooksUrl", "https://docs.example.org/runbooks"));
        await Eventually.TrueAsync(
            async () => (await Worker.JsonAsync($"/api/jobs/{JobNames.MemoryAlerts}")).GetProperty("results").GetArrayLength() > 0, TimeSpan.FromSeconds(90));
        (await Worker.SendAsync(HttpMethod.Post, $"/api/jobs/{JobNames.MemoryAlerts}/run")).Status.ShouldBe(202);
    }

    public async Task DisposeAsync()
    {
        await Worker.DisposeAsync();
        await server!.DisposeAsync();
    }
}
