using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>One partition of a pass: sweep, compare, brake, mend.</summary>
internal sealed class Partition(
    RedisConnection connection,
    RedisKeys keys,
    SessionRepair repair,
    SweepMetrics metrics,
    JobContext context,
    PassState state,
    bool verifyGenerations)
{
    private LiveSessions live = new();
    private IndexComparison? comparison;

    /// <summary>Finds the suspects; changes nothing.</summary>
    public async Task<SweepEnd> SweepAsync(TagRange range, CancellationToken cancellationToken)
    {
        var scan = new KeyspaceScan(connection, keys, context);
        var sweep = new SessionSweep(connection, scan, context, metrics);
        live = await sweep.RunAsync(range, cancellationToken);
        if (scan.Refused)
        {
            return SweepEnd.Refused;
        }

        comparison = new IndexComparison(connection, keys, context, live) { Tolerance = repair.Tolerance, VerifyGenerations = verifyGenerations };
        await comparison.RunAsync(cancellationToken);
        if (await ServerIdentity.ReadAsync(connection, context.Report, cancellationToken) != state.ServerRunId)
        {
            return SweepEnd.AnotherServer;
        }

        Report(comparison, scan, sweep, first: range.From == 0);
        return SweepEnd.Complete;
    }

    /// <summary>Takes the suspects to the scripts.</summary>
    /// <exception cref="BrakeException">They would remove too much; nothing of this partition was changed.</exception>
    public async Task MendAsync(CancellationToken cancellationToken)
    {
        var found = comparison ?? throw new InvalidOperationException("Sweep first.");
        if (!context.DryRun && !context.Brake.Allows(state.Items, state.Removed + found.PossibleRemovals))
        {
            await LookFirstAsync(found, cancellationToken);
        }

        var act = new Confirmation(repair, context, live) { OnVerdict = OnVerdict, OnRebuilt = OnRebuilt, OnLife = OnLife };
        await act.SuspectsAsync(found.Suspects, context.DryRun, cancellationToken);
        await act.LivesAsync(found.LifeSuspects, context.DryRun, cancellationToken);
        if (context.DryRun && !context.Brake.Allows(state.Items, state.Removed))
        {
            context.Report.Warn($"The brake would stop this pass: {state.Removed} removals of {state.Items} index members and sessions.");
        }
    }

    // So many suspects may only mean that many people logged in meanwhile. The scripts say how many would really be removed.
    private async Task LookFirstAsync(IndexComparison found, CancellationToken cancellationToken)
    {
        var verdicts = new List<DriftVerdict>();
        var look = new Confirmation(repair, context, live) { OnVerdict = verdicts.Add, OnRebuilt = static () => { }, OnLife = static _ => { } };
        await look.SuspectsAsync(found.Suspects, lookOnly: true, cancellationToken);
        var removals = state.Removed + verdicts.Count(verdict => verdict is DriftVerdict.Dangling or DriftVerdict.Revoked);
        if (context.Brake.Allows(state.Items, removals))
        {
            return;
        }

        foreach (var verdict in verdicts)
        {
            state.Count(verdict);
            if (DriftKind(verdict) is { } kind)
            {
                context.Report.Add(DriftCounts.Name(kind));
            }
        }

        // Found, not mended: the gauges show it while the pass has failed.
        context.Report.SetSnapshot(state.ToSnapshot());
        context.Brake.Check(state.Items, removals, "index members and sessions");
    }

    private void OnVerdict(DriftVerdict verdict)
    {
        state.Count(verdict);
        context.Report.Add(CountOf(verdict));
        if (verdict == DriftVerdict.Refused)
        {
            context.Report.Error("Redis is full (maxmemory, noeviction) and refused to put a session's entry into its index.");
        }

        if (context.DryRun)
        {
            return;
        }

        if ((verdict == DriftVerdict.Expired ? "expired" : DriftKind(verdict)) is { } kind)
        {
            metrics.IndexRepaired(kind);
        }

        if (verdict == DriftVerdict.Revoked)
        {
            metrics.Removed("revoked");
        }
    }

    private void OnRebuilt() => context.Report.Add("indexes_rebuilt");

    private void OnLife(IndexLifeVerdict verdict)
    {
        if (verdict is not (IndexLifeVerdict.WrongExpiry or IndexLifeVerdict.MissingTtl))
        {
            return;
        }

        state.Count(DriftVerdict.WrongExpiry);
        context.Report.Add(CountOf(DriftVerdict.WrongExpiry));
        context.Report.Add("index_life_mended");
        if (!context.DryRun)
        {
            metrics.IndexRepaired("index_life");
        }
    }

    private void Report(IndexComparison found, KeyspaceScan scan, SessionSweep sweep, bool first)
    {
        state.SessionsInStore = sweep.SessionKeys;
        state.Sessions += live.SessionCount;
        state.Users += live.UserCount;
        state.Items += found.Members + found.NotIndexed;
        context.Report.Add("keys_scanned", scan.Scanned);
        context.Report.Add("sessions_seen", live.SessionCount);
        context.Report.Add("users_seen", live.UserCount);
        context.Report.Add("index_members_seen", found.Members);
        context.Report.Add("suspects", found.Suspects.Count);
        context.Report.Add("foreign_values", found.Foreign);
        if (first)
        {
            context.Report.Add("foreign_keys", scan.Foreign);
            scan.WarnOfAnotherPrefix(sweep.SessionKeys);
        }
    }

    private static string? DriftKind(DriftVerdict verdict) => verdict switch
    {
        DriftVerdict.Dangling => "dangling",
        DriftVerdict.Missing => "missing",
        DriftVerdict.Revoked => "revoked",
        DriftVerdict.WrongExpiry => "wrong_expiry",
        _ => null,
    };

    private static string CountOf(DriftVerdict verdict) => verdict switch
    {
        DriftVerdict.Right => "suspects_right",
        DriftVerdict.Changed => "suspects_changed",
        DriftVerdict.Refused => "repairs_refused",
        DriftVerdict.UnknownVersion => "unknown_version",
        DriftVerdict.Foreign => "foreign_values",
        DriftVerdict.Expired => DriftCounts.ExpiredMembers,
        _ => DriftCounts.Name(DriftKind(verdict) ?? verdict.ToString()),
    };
}
