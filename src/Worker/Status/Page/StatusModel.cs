using Maintenance.Pages;
using Maintenance.Worker.Alerting;
using Maintenance.Worker.KeyspaceStats;
using Maintenance.Worker.MemoryAlerts;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Status.Page;

/// <summary>Everything on the page, as this replica knows it.</summary>
public sealed record StatusModel
{
    public required DateTimeOffset Now { get; init; }

    public required string Replica { get; init; }

    public required string WorkerVersion { get; init; }

    /// <summary>Another one when something has changed that is not only a clock.</summary>
    public required string Version { get; init; }

    /// <summary>The worst of everything.</summary>
    public required HealthStatus Status { get; init; }

    /// <summary>Why it is not healthy; empty if it is.</summary>
    public required IReadOnlyList<StatusReason> Reasons { get; init; }

    public required WatchedStatus Watched { get; init; }

    /// <summary>Where the storage lies, without credentials.</summary>
    public required string Endpoint { get; init; }

    /// <summary>What kind of storage it is; empty while nobody knows.</summary>
    public required string Mode { get; init; }

    public required IReadOnlyList<LastingAlert> Alerts { get; init; }

    /// <summary>Where they lead.</summary>
    public required AlertLinks Links { get; init; }

    /// <summary>Who is told of them.</summary>
    public required IReadOnlyList<SinkState> Sinks { get; init; }

    public required IReadOnlyList<NodeStatus> Nodes { get; init; }

    /// <summary>Share of the limit at which memory is a warning.</summary>
    public required double MemoryWarning { get; init; }

    /// <summary>Share of the limit at which memory is critical.</summary>
    public required double MemoryCritical { get; init; }

    /// <summary>The last passes that compared sessions and indexes, oldest first.</summary>
    public required IReadOnlyList<JobResult> Passes { get; init; }

    public required IReadOnlyList<JobStatus> Jobs { get; init; }

    public KeyspaceStatsSnapshot? Keyspace { get; init; }
}

/// <summary>Why something is not healthy.</summary>
/// <param name="Subject">A node, a job, or Redis.</param>
/// <param name="Status">How bad it is.</param>
/// <param name="Text">What was seen.</param>
/// <param name="See">What to look at; null if the text says it.</param>
public sealed record StatusReason(string Subject, HealthStatus Status, string Text, string? See = null);

/// <summary>One node of Redis: what the probe and what the memory job found.</summary>
public sealed record NodeStatus(string Name, NodeHealth? Health, NodeMemory? Memory);

/// <summary>One job.</summary>
public sealed record JobStatus
{
    /// <summary>Schedule, next run, the run under way, and every result that is kept, newest first.</summary>
    public required JobView View { get; init; }

    /// <summary>Whether it runs as it should.</summary>
    public required HealthStatus Status { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>The last run that did something or tried to; null if there is none.</summary>
    public JobResult? Last => View.Results.FirstOrDefault(result => !result.DryRun && result.Outcome is JobOutcome.Success or JobOutcome.Failed);
}

/// <summary>Statuses as the pages show them.</summary>
internal static class StatusTones
{
    public static Tone Tone(this HealthStatus status) => status switch
    {
        HealthStatus.Healthy => Pages.Tone.Good,
        HealthStatus.Degraded => Pages.Tone.Warning,
        _ => Pages.Tone.Bad,
    };

    public static Tone Tone(this AlertSeverity severity) => severity == AlertSeverity.Critical ? Pages.Tone.Bad : Pages.Tone.Warning;
}
