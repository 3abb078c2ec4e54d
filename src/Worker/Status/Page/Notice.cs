using Maintenance.Pages;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Status.Page;

/// <summary>What came of a button. It travels in the address as a code of a closed set, so no text of an address ever appears on the page.</summary>
/// <param name="Tone">How it is shown.</param>
/// <param name="Text">What is said.</param>
/// <param name="Job">The job it is about; null for all.</param>
public sealed record Notice(Tone Tone, string Text, string? Job)
{
    public const string Begun = "begun";
    public const string PausedNow = "paused";
    public const string Resumed = "resumed";
    public const string Foreign = "foreign";

    /// <summary>The page with a notice, at the place it is about.</summary>
    public static string Address(string code, string? job) =>
        job is null ? $".?notice={code}" : $".?notice={code}&job={job}#job-{job}";

    /// <summary>Reads it from an address; null for anything that is not ours.</summary>
    public static Notice? Read(IQueryCollection query)
    {
        var job = JobNames.All.FirstOrDefault(name => name == query["job"]);
        return query["notice"].ToString() switch
        {
            Begun when job is not null => new Notice(Tone.Busy, "The run has begun.", job),
            PausedNow => new Notice(Tone.Good, "All jobs are paused for an hour, on every replica.", null),
            Resumed => new Notice(Tone.Good, "The pause is over.", null),
            Foreign => new Notice(Tone.Warning, "Nothing was done: the form was too old, or not from this page. Please press the button again.", null),
            nameof(RunRefusal.Paused) => new Notice(Tone.Warning, "Not begun: all jobs are paused.", job),
            nameof(RunRefusal.Running) => new Notice(Tone.Warning, "Not begun: a run is under way, here or on another replica.", job),
            nameof(RunRefusal.NoLease) => new Notice(Tone.Bad, "Not done: Redis does not answer.", job),
            nameof(RunRefusal.Stopping) => new Notice(Tone.Bad, "Not begun: this replica is stopping.", job),
            _ => null,
        };
    }
}
