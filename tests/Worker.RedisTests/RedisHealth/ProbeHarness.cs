using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.Lease;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.RedisHealth;

/// <summary>The probe, its job and its metrics as the worker has them.</summary>
internal sealed class ProbeHarness : IDisposable
{
    public ProbeHarness(RespServer server, RedisHealthOptions? options = null, string replica = JobHarness.Replica)
        : this([RedisNode.From(JobHarness.Options(server))], options, replica)
    {
    }

    public ProbeHarness(IReadOnlyList<RedisNode> nodes, RedisHealthOptions? options = null, string replica = JobHarness.Replica)
        : this(new RedisNodes(nodes), options, replica)
    {
    }

    public ProbeHarness(RedisNodes nodes, RedisHealthOptions? options = null, string replica = JobHarness.Replica)
    {
        Probe = new RedisProbe(
            nodes, new RedisKeys(""), JobHarness.Monitor(options ?? Relaxed()), TimeProvider.System);
        Job = new RedisHealthJob(Probe, Latest);
        Metrics = new RedisHealthMetrics(Meters, Latest, new ReplicaName(replica));
    }

    public TestMeterFactory Meters { get; } = new();

    public LatestSnapshot<RedisHealthSnapshot> Latest { get; } = new();

    public RedisProbe Probe { get; }

    public RedisHealthJob Job { get; }

    public RedisHealthMetrics Metrics { get; }

    /// <summary>The machine that runs the tests is shared: only a test of slowness says what is slow.</summary>
    public static RedisHealthOptions Relaxed() => new()
    {
        PingP99Degraded = TimeSpan.FromMinutes(1),
        SlowCommandDegraded = TimeSpan.FromMinutes(1),
        CallDeadline = TimeSpan.FromSeconds(10),
        ConnectTimeout = TimeSpan.FromSeconds(10),
        Deadline = TimeSpan.FromSeconds(40),
    };

    /// <summary>Only its own deadline, which the test sets, ends a probe soon.</summary>
    public static RedisHealthOptions Patient()
    {
        var options = Relaxed();
        (options.CallDeadline, options.ConnectTimeout, options.Deadline) = (TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2));
        return options;
    }

    public async Task<NodeHealth> ProbeOneAsync()
    {
        var result = await JobHarness.RunAsync(Job, Metrics);
        return result.ReadSnapshot<RedisHealthSnapshot>()!.Nodes.Single();
    }

    public double? Value(string instrument, string? node = null)
    {
        using var collector = new MetricCollector<double>(Meters, instrument);
        return collector.Observe().SingleOrDefault(measurement => node is null || measurement.Tags["node"] == node)?.Value;
    }

    public void Dispose() => Meters.Dispose();
}
