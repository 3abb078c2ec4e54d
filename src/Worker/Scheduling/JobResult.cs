using System.Text.Json;
using System.Text.Json.Serialization;

namespace Maintenance.Worker.Scheduling;

/// <summary>How a run ended.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<JobOutcome>))]
public enum JobOutcome
{
    /// <summary>Everything was done.</summary>
    [JsonStringEnumMemberName("success")]
    Success,

    /// <summary>At least one error, or the brake.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>Shutdown, lost lease or a person ended it.</summary>
    [JsonStringEnumMemberName("canceled")]
    Canceled,

    /// <summary>Nothing was done: another replica did it, or a pause.</summary>
    [JsonStringEnumMemberName("skipped")]
    Skipped,
}

/// <summary>The record of one run: kept in Redis (last 50 a job), one log line, one row of <c>/api/jobs</c>.</summary>
public sealed record JobResult
{
    /// <summary>The job.</summary>
    public required string Job { get; init; }

    /// <summary>Identifies the run.</summary>
    public required string RunId { get; init; }

    /// <summary>The replica that ran it.</summary>
    public required string Replica { get; init; }

    /// <summary>Whether a verb of the command line ran it. Such a process sends no alert, so the serving replicas learn nothing of alerts from it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool OneShot { get; init; }

    /// <summary>When it was due; null if a person asked for it.</summary>
    public DateTimeOffset? Due { get; init; }

    /// <summary>When it started, this replica's clock.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>How long it took.</summary>
    public required double DurationSeconds { get; init; }

    /// <summary>How it ended.</summary>
    public required JobOutcome Outcome { get; init; }

    /// <summary>Why it was skipped, canceled or braked; null otherwise.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether it only looked.</summary>
    public bool DryRun { get; init; }

    /// <summary>Whether the brake stopped it.</summary>
    public bool Braked { get; init; }

    /// <summary>Named counts.</summary>
    public IReadOnlyDictionary<string, long> Counts { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>What a person should know.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The first errors.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>How many errors there were.</summary>
    public long ErrorCount { get; init; }

    /// <summary>What the server does not offer.</summary>
    public IReadOnlyList<string> Unavailable { get; init; } = [];

    /// <summary>Figures for the gauges, in the job's own shape.</summary>
    public JsonElement? Snapshot { get; init; }

    /// <summary>Reads the snapshot in the job's shape; default when there is none or it is of another shape.</summary>
    public T? ReadSnapshot<T>()
    {
        if (Snapshot is not { } element)
        {
            return default;
        }

        try
        {
            return element.Deserialize<T>(JobResultJson.Options);
        }
        catch (JsonException)
        {
            // Written by a neighbouring version of the worker; its next run writes ours.
            return default;
        }
    }
}

/// <summary>How results are written: snake case, nulls left out.</summary>
public static class JobResultJson
{
    /// <summary>The options.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };
}
