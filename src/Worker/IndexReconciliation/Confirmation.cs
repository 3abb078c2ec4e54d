using Maintenance.Storage.Sessions.Repair;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>Takes suspects to the scripts, grouped by user, and passes on what those confirm.</summary>
internal sealed class Confirmation(SweptKind kind, JobContext context, LiveSessions live)
{
    // A script blocks Redis while it looks at them.
    private const int SuspectsPerScript = 100;

    private readonly HashSet<int> changed = [];
    private readonly HashSet<int> rebuilt = [];

    /// <summary>Called for each verdict.</summary>
    public required Action<DriftVerdict> OnVerdict { get; init; }

    /// <summary>Called for each index that was lost and is there again.</summary>
    public required Action OnRebuilt { get; init; }

    /// <summary>Called for each index whose TTL was looked at.</summary>
    public required Action<IndexLifeVerdict> OnLife { get; init; }

    /// <summary>Looks again at each suspect, and mends as far as it may.</summary>
    public Task SuspectsAsync(List<Suspect> suspects, RepairMode mode, CancellationToken cancellationToken)
    {
        suspects.Sort(static (one, other) => one.User.CompareTo(other.User));
        return PacedBatches.ForEachAsync(
            context,
            Groups(suspects),
            group => kind.ReconcileAsync(
                live.User(group[0].User), [.. group.Select(suspect => new SessionSuspect(suspect.Id.Unpack(), suspect.SeenScore))], mode, cancellationToken),
            (group, result) => Take(group[0].User, result),
            "repair of a user's index",
            cancellationToken);
    }

    /// <summary>Looks again at the TTL of indexes. Where members were wrong the TTL followed them, and is right by now.</summary>
    public Task LivesAsync(IEnumerable<int> users, bool lookOnly, CancellationToken cancellationToken) =>
        PacedBatches.ForEachAsync(
            context,
            users.Where(user => !changed.Contains(user)),
            user => kind.MendIndexLifeAsync(live.User(user), lookOnly, cancellationToken),
            (_, verdict) => OnLife(verdict),
            "repair of an index's TTL",
            cancellationToken);

    private void Take(int user, ReconcileResult result)
    {
        foreach (var verdict in result.Verdicts)
        {
            if (verdict is DriftVerdict.Expired or DriftVerdict.Dangling or DriftVerdict.Missing or DriftVerdict.Revoked or DriftVerdict.WrongExpiry)
            {
                changed.Add(user);
            }

            OnVerdict(verdict);
        }

        if (result.IndexRebuilt && rebuilt.Add(user))
        {
            OnRebuilt();
        }
    }

    private static IEnumerable<List<Suspect>> Groups(List<Suspect> suspects)
    {
        var group = new List<Suspect>();
        foreach (var suspect in suspects)
        {
            if (group.Count == SuspectsPerScript || (group.Count > 0 && group[0].User != suspect.User))
            {
                yield return group;
                group = [];
            }

            group.Add(suspect);
        }

        if (group.Count > 0)
        {
            yield return group;
        }
    }
}
