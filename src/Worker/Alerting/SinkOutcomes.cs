using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Alerting;

/// <summary>What became of the alerts that sinks were given: as a metric, and the last word of each sink for the status page.</summary>
public sealed class SinkOutcomes
{
    private const string Success = "success";
    private const string Failure = "failure";
    private const string Dropped = "dropped";

    private readonly ConcurrentDictionary<string, SinkState> states = new(StringComparer.Ordinal);
    private readonly Counter<long> sent;
    private readonly TimeProvider timeProvider;
    private readonly ILogger<SinkOutcomes> logger;

    /// <summary>Creates the counter.</summary>
    public SinkOutcomes(IMeterFactory meterFactory, TimeProvider timeProvider, ILogger<SinkOutcomes> logger)
    {
        this.timeProvider = timeProvider;
        this.logger = logger;
        sent = meterFactory.Create(WorkerMeter.Name).CreateCounter<long>("maintenance.alerts.sent", description: "Alerts given to a sink, by outcome.");
    }

    /// <summary>Every sink, by name.</summary>
    public IReadOnlyList<SinkState> All => [.. states.Values.OrderBy(state => state.Sink, StringComparer.Ordinal)];

    /// <summary>Makes a sink known; its counters exist with zero from here on.</summary>
    internal void Register(string sink)
    {
        states[sink] = new SinkState(sink, null, null);
        foreach (var outcome in new[] { Success, Failure, Dropped })
        {
            Count(sink, outcome, 0);
        }
    }

    /// <summary>The sink took them.</summary>
    internal void Took(string sink, int alerts)
    {
        Count(sink, Success, alerts);
        if (states[sink].Problem is not null)
        {
            logger.SinkRecovered(sink);
        }

        states[sink] = new SinkState(sink, timeProvider.GetUtcNow(), null);
    }

    /// <summary>The sink did not take them this time; it is tried again. Logged when it begins, not at each try.</summary>
    internal void Failed(string sink, int alerts, string problem)
    {
        Count(sink, Failure, alerts);
        if (states[sink].Problem is null)
        {
            logger.SinkFailed(sink, alerts, problem);
        }

        states[sink] = states[sink] with { Problem = problem };
    }

    /// <summary>The sink will never take them, or there is no time left to ask again.</summary>
    internal void Lost(string sink, int alerts, string problem)
    {
        Count(sink, Dropped, alerts);
        logger.SinkRefused(sink, alerts, problem);
        states[sink] = states[sink] with { Problem = problem };
    }

    private void Count(string sink, string outcome, int alerts) =>
        sent.Add(alerts, new KeyValuePair<string, object?>("sink", sink), new KeyValuePair<string, object?>("outcome", outcome));
}

/// <summary>A sink's last word.</summary>
/// <param name="Sink">Its name.</param>
/// <param name="LastTaken">When it last took something; null if it never did.</param>
/// <param name="Problem">Why it takes nothing now; null if nothing is wrong. No part of its address but host and port.</param>
public sealed record SinkState(string Sink, DateTimeOffset? LastTaken, string? Problem);
