using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.ForeignLayouts;

/// <summary>The pass over one program's store, after the scan: compare, look again, and mend what the pass before saw too.</summary>
internal sealed class KeySpacePass(
    RedisConnection connection, RedisKeys keys, ForeignStore store, bool cluster, SweepMetrics metrics, JobContext context)
{
    private readonly KeySpace space = store.Space;
    private readonly ForeignComparison comparison = new(connection, store, context);
    private readonly ForeignRepair repair = new(connection, store.Space, cluster);
    private readonly List<ForeignSuspect> confirmed = [];
    private readonly Dictionary<ForeignDrift, long> found = [];
    private int notIndexed;

    /// <summary>The store's name.</summary>
    public string Name => space.Name;

    /// <summary>Fingerprints of the sessions that no index named and whose names another scan has still to bring.</summary>
    public HashSet<UInt128> NotIndexed { get; private set; } = [];

    /// <summary>What it found.</summary>
    public ForeignFound Found => new(
        Of(ForeignDrift.Dangling), Of(ForeignDrift.Missing), Of(ForeignDrift.WrongExpiry), store.Count, store.Users.Count);

    private long Items => comparison.Members + Of(ForeignDrift.Missing);

    private string Things => $"members and sessions of {space.Setting}";

    /// <summary>Compares the indexes with the sessions.</summary>
    public async Task CompareAsync(CancellationToken cancellationToken)
    {
        await comparison.RunAsync(cancellationToken);
        NotIndexed = store.NotIndexed();
        notIndexed = NotIndexed.Count;
        Add("seen", store.Count);
        Add("members_seen", comparison.Members);
        Add("without_user", space.Options.User == UserSource.None ? 0 : store.Anonymous);
        Add("without_ttl", store.Endless);
        Add("of_another_user", comparison.Misplaced);
        context.Report.Add("foreign_values", store.Unreadable + comparison.Unreadable);
    }

    /// <summary>Reads sessions that no index named once more, and suspects those that still have a user.</summary>
    public async Task SuspectAsync(IReadOnlyList<ForeignName> names, CancellationToken cancellationToken)
    {
        foreach (var batch in names.Chunk(context.Budget.BatchSize))
        {
            var (_, values) = await ForeignSweep.ReadAsync(connection, context, batch, cancellationToken);
            for (var i = 0; i < batch.Length; i++)
            {
                if (values[i] is { User: { } user, LifeMilliseconds: not ForeignValue.Gone } && space.MemberOf(batch[i].Session) is { } member)
                {
                    comparison.Suspect(new ForeignSuspect(ForeignDrift.Missing, batch[i].Session, user, member, double.NaN));
                }
            }
        }
    }

    /// <summary>Looks again at every suspect, and mends those that the pass before saw too.</summary>
    /// <exception cref="BrakeException">It would change too much; nothing was.</exception>
    public async Task MendAsync(CancellationToken cancellationToken)
    {
        Add("suspects_left", comparison.Left);
        await PacedBatches.ForEachAsync(
            context,
            comparison.Suspects,
            suspect => repair.IsStillSoAsync(suspect, cancellationToken),
            (suspect, still) => Confirm(suspect, still),
            $"look at a member of {space.Setting}",
            cancellationToken);
        if (!LooksRight() || space.Options.Action != KeySpaceAction.Repair)
        {
            return;
        }

        if (!context.DryRun)
        {
            await MendConfirmedAsync(cancellationToken);
        }
        else if (!context.Brake.Allows(Items, Of(ForeignDrift.Dangling) + Of(ForeignDrift.Missing)))
        {
            context.Report.Warn($"The brake would stop a pass that mends all of this: {Of(ForeignDrift.Dangling) + Of(ForeignDrift.Missing)} changes of {Items} {Things}.");
        }
    }

    private async Task MendConfirmedAsync(CancellationToken cancellationToken)
    {
        var sightings = new Sightings(connection, keys.Maintenance($"keyspace:{space.Name}"), context.Report);
        await sightings.LoadAsync(cancellationToken);
        var now = await connection.CallAsync(database => ServerClock.NowAsync(database), cancellationToken, KeyspaceScan.DeadlineOf(connection));
        var before = now - (long)space.Options.Grace.TotalMilliseconds;
        List<ForeignSuspect> due = [];
        foreach (var suspect in confirmed)
        {
            var since = sightings.See(suspect.Fingerprint(space), now);
            if (since < now && since <= before && (suspect.Drift != ForeignDrift.Missing || space.CanPutBack))
            {
                due.Add(suspect);
            }
        }

        Add("waiting", confirmed.Count - due.Count);
        // Putting back is under the brake too: with a wrong pattern every session seems to be missing, and mending would make as many wrong keys.
        var changes = due.Count(suspect => suspect.Drift is ForeignDrift.Dangling or ForeignDrift.Missing);
        if (context.Brake.Allows(Items, changes))
        {
            await PacedBatches.ForEachAsync(
                context,
                due,
                suspect => repair.MendAsync(suspect, cancellationToken),
                (suspect, mended) => Mended(suspect, mended, sightings),
                $"repair of a member of {space.Setting}",
                cancellationToken);
        }

        await sightings.SaveAsync(cancellationToken);
        context.Brake.Check(Items, changes, Things);
    }

    private void Confirm(ForeignSuspect suspect, bool still)
    {
        if (!still)
        {
            Add("suspects_right");
            return;
        }

        confirmed.Add(suspect);
        found[suspect.Drift] = Of(suspect.Drift) + 1;
        context.Report.Add(suspect.Drift == ForeignDrift.Expired ? DriftCounts.Expired(space.Name) : DriftCounts.Name(Label(suspect.Drift), space.Name));
    }

    private void Mended(ForeignSuspect suspect, bool mended, Sightings sightings)
    {
        if (!mended)
        {
            Add("suspects_right");
            return;
        }

        // An expired member is no drift, here as in our own indexes.
        Add(suspect.Drift == ForeignDrift.Expired ? "expired_removed" : "mended");
        sightings.Forget(suspect.Fingerprint(space));
        metrics.IndexRepaired(Label(suspect.Drift), space.Name);
    }

    // One of the two patterns is wrong rather than the whole store.
    private bool LooksRight()
    {
        if (store.Count == 0 && comparison.Members > 0)
        {
            context.Report.Warn($"No session is named as {space.Setting}:Sessions says ({space.Sessions.Text}), although indexes have {comparison.Members} members. Is it right? Nothing is mended there.");
            return false;
        }

        if (store.Users.Count == 0 && notIndexed > 0)
        {
            context.Report.Warn($"No index is named as {space.Setting}:Index says ({space.Index.Text}), although {notIndexed} sessions have a user. Is it right? Nothing is mended there.");
            return false;
        }

        return true;
    }

    private long Of(ForeignDrift drift) => found.GetValueOrDefault(drift);

    private void Add(string count, long by = 1)
    {
        if (by > 0)
        {
            context.Report.Add(DriftCounts.Foreign(space.Name, count), by);
        }
    }

    private static string Label(ForeignDrift drift) => drift switch
    {
        ForeignDrift.Dangling => "dangling",
        ForeignDrift.Missing => "missing",
        ForeignDrift.WrongExpiry => "wrong_expiry",
        _ => "expired",
    };
}
