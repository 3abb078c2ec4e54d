using Maintenance.Testing;
using Maintenance.Worker.Alerting;
using Maintenance.Worker.Lease;
using Maintenance.Worker.MemoryAlerts;
using Maintenance.Worker.RedisHealth;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Tests.Alerting;

/// <summary>The alerts of a replica and their way to the sinks, as the worker has them.</summary>
internal sealed class AlertHarness : IDisposable
{
    public TestMeterFactory Meters { get; } = new();

    public LogCollector Log { get; } = new();

    public Monitor Options { get; } = new(new AlertingOptions { SinkTimeout = TimeSpan.FromMilliseconds(200) });

    public RecordingSink Sink { get; } = new("log");

    /// <summary>Of the dispatcher; manual where no limit of its is to pass.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    public SinkOutcomes Outcomes { get; private set; } = null!;

    public AlertCenter Center(string replica) =>
        new([new RedisHealthAlerts(), new MemoryAlertRule(), new JobFailedRule(), new DriftRule(Options)], Options, new ReplicaName(replica));

    public async Task<Dispatching> DispatchAsync(AlertCenter center, params IAlertSink[] sinks)
    {
        Outcomes = new SinkOutcomes(Meters, TimeProvider.System, Log.For<SinkOutcomes>());
        var dispatcher = new AlertDispatcher(center, sinks, Outcomes, Options, Time, Log.For<AlertDispatcher>());
        await dispatcher.StartAsync(CancellationToken.None);
        return new Dispatching(dispatcher);
    }

    public void Dispose()
    {
        Meters.Dispose();
        Log.Dispose();
    }

    internal sealed class Dispatching(AlertDispatcher dispatcher) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await dispatcher.StopAsync(CancellationToken.None);
            dispatcher.Dispose();
        }
    }

    internal sealed class Monitor(AlertingOptions value) : IOptionsMonitor<AlertingOptions>
    {
        public AlertingOptions CurrentValue => value;

        public AlertingOptions Get(string? name) => value;

        public IDisposable? OnChange(Action<AlertingOptions, string?> listener) => null;
    }
}
