using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>Bound from <c>Jobs:IndexReconciliation</c>.</summary>
public sealed class IndexReconciliationOptions : JobOptions
{
    /// <summary>
    /// Sessions noted in memory at once, at most 100 bytes each. A larger store is swept in partitions of hash tags, each with a SCAN of its own.
    /// Default 2,000,000.
    /// </summary>
    public long MaxSessionsInMemory { get; set; } = 2_000_000;

    /// <summary>How long an interrupted pass can be resumed at its last completed partition. Default 24 h.</summary>
    public TimeSpan CursorLife { get; set; } = TimeSpan.FromHours(24);

    /// <summary>
    /// Send every session to the script, which compares its generation, instead of only those whose user has no generation at all. Finds sessions
    /// that a generation denies although their index still names them. They let nobody in and end by themselves, so this is off: it costs a script
    /// a user. Default false.
    /// </summary>
    public bool VerifyGenerations { get; set; }
}
