using Maintenance.Storage.Sessions.Repair;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>What was found of one kind in one partition, on its way to the scripts.</summary>
internal sealed class KindMending(
    SweptKind kind, LiveSessions live, IndexComparison comparison, SweepMetrics metrics, JobContext context, PassState pass)
{
    private readonly KeyspaceState state = pass.Of(kind.Keyspace);
    private RepairMode mode;

    private bool IsNative => kind.Keyspace == SweepMetrics.Native;

    /// <summary>Puts what was seen into the result.</summary>
    public void Report()
    {
        state.Sessions += live.SessionCount;
        state.Users += live.UserCount;
        state.Items += comparison.Members + comparison.NotIndexed;
        context.Report.Add("suspects", comparison.Suspects.Count);
        context.Report.Add("foreign_values", comparison.Foreign);
        if (IsNative)
        {
            context.Report.Add("sessions_seen", live.SessionCount);
            context.Report.Add("users_seen", live.UserCount);
            context.Report.Add("index_members_seen", comparison.Members);
        }
        else if (live.SessionCount + comparison.Members > 0)
        {
            context.Report.Add($"{kind.Keyspace}_seen", live.SessionCount);
        }
    }

    /// <summary>Takes the suspects to the scripts.</summary>
    /// <exception cref="BrakeException">They would remove too much; only what is harmless was mended.</exception>
    public async Task MendAsync(CancellationToken cancellationToken)
    {
        mode = context.DryRun ? RepairMode.Look : RepairMode.Act;
        if (mode == RepairMode.Act && !context.Brake.Allows(state.Items, state.Removed + comparison.PossibleRemovals))
        {
            mode = await LookFirstAsync(cancellationToken);
        }

        var act = new Confirmation(kind, context, live) { OnVerdict = OnVerdict, OnRebuilt = OnRebuilt, OnLife = OnLife };
        await act.SuspectsAsync(comparison.Suspects, mode, cancellationToken);
        await act.LivesAsync(comparison.LifeSuspects, context.DryRun, cancellationToken);
        var what = IsNative ? "index members and sessions" : $"index members and records of {kind.Keyspace}";
        if (mode == RepairMode.Spare)
        {
            context.Brake.Check(state.Items, state.Removed, what);
        }

        if (context.DryRun && !context.Brake.Allows(state.Items, state.Removed))
        {
            context.Report.Warn($"The brake would stop this pass: {state.Removed} removals of {state.Items} {what}.");
        }
    }

    // So many suspects may only mean that many people logged in meanwhile. The scripts say how many would really be removed.
    private async Task<RepairMode> LookFirstAsync(CancellationToken cancellationToken)
    {
        var removals = 0L;
        var look = new Confirmation(kind, context, live)
        {
            OnVerdict = verdict => removals += IsRemoval(verdict) ? 1 : 0,
            OnRebuilt = static () => { },
            OnLife = static _ => { },
        };
        await look.SuspectsAsync(comparison.Suspects, RepairMode.Look, cancellationToken);
        return context.Brake.Allows(state.Items, state.Removed + removals) ? RepairMode.Act : RepairMode.Spare;
    }

    private void OnVerdict(DriftVerdict verdict)
    {
        state.Count(verdict);
        context.Report.Add(CountOf(verdict));
        if (verdict == DriftVerdict.Refused)
        {
            context.Report.Error("Redis is full (maxmemory, noeviction) and refused to put an entry into its index.");
        }

        if (mode == RepairMode.Look || (mode == RepairMode.Spare && IsRemoval(verdict)))
        {
            return;
        }

        if ((verdict == DriftVerdict.Expired ? "expired" : DriftKind(verdict)) is { } repaired)
        {
            metrics.IndexRepaired(repaired, kind.Keyspace);
        }

        if (verdict == DriftVerdict.Revoked)
        {
            metrics.Removed("revoked", kind.Keyspace);
        }
    }

    private void OnRebuilt() => context.Report.Add("indexes_rebuilt");

    private void OnLife(IndexLifeVerdict verdict)
    {
        if (verdict is not (IndexLifeVerdict.WrongExpiry or IndexLifeVerdict.MissingTtl))
        {
            return;
        }

        state.IndexLife++;
        context.Report.Add(DriftCounts.Name("index_life", kind.Keyspace));
        if (!context.DryRun)
        {
            metrics.IndexRepaired("index_life", kind.Keyspace);
        }
    }

    private string CountOf(DriftVerdict verdict) => verdict switch
    {
        DriftVerdict.Right => "suspects_right",
        DriftVerdict.Changed => "suspects_changed",
        DriftVerdict.Refused => "repairs_refused",
        DriftVerdict.UnknownVersion => "unknown_version",
        DriftVerdict.Foreign => "foreign_values",
        DriftVerdict.Expired => DriftCounts.Expired(kind.Keyspace),
        _ => DriftCounts.Name(DriftKind(verdict) ?? verdict.ToString(), kind.Keyspace),
    };

    private static bool IsRemoval(DriftVerdict verdict) => verdict is DriftVerdict.Dangling or DriftVerdict.Revoked;

    private static string? DriftKind(DriftVerdict verdict) => verdict switch
    {
        DriftVerdict.Dangling => "dangling",
        DriftVerdict.Missing => "missing",
        DriftVerdict.Revoked => "revoked",
        DriftVerdict.WrongExpiry => "wrong_expiry",
        _ => null,
    };
}
