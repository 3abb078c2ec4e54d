using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Archive;

/// <summary>
/// Makes a Redis that went back in time (a restored backup, a failover that lost writes) forget again what has ended since: raises every
/// generation to the archive's and ends the single sessions that ended, with their refresh families. Safe at any time, also twice and beside traffic.
/// </summary>
public sealed class ArchiveReplay
{
    private const int PerUser = 100;

    private readonly ISessionArchive archive;
    private readonly ArchiveFence fence;

    internal ArchiveReplay(ISessionArchive archive, ArchiveFence fence)
    {
        this.archive = archive;
        this.fence = fence;
    }

    /// <summary>Replays what has ended since a time, generations first.</summary>
    /// <param name="since">By the archive's clock; take it from well before the backup.</param>
    /// <param name="progress">Told after every so many changes; may be null.</param>
    /// <param name="cancellationToken">Ends it between two changes; what is done is done.</param>
    /// <exception cref="StorageUnavailableException">Redis or the archive did not answer; run it again.</exception>
    public async Task<ReplayResult> RunAsync(DateTimeOffset since, IProgress<ReplayResult>? progress, CancellationToken cancellationToken)
    {
        var result = new ReplayResult(0, 0, 0, 0, 0);
        List<ArchiveChange> ended = [];
        var of = default(UserReference);
        await foreach (var change in archive.ChangesSinceAsync(since, cancellationToken).ConfigureAwait(false))
        {
            if (change.Generation is { } generation)
            {
                var raised = await fence.RaiseAsync(change.User, generation, cancellationToken).ConfigureAwait(false);
                result = result with { Generations = result.Generations + 1, GenerationsRaised = result.GenerationsRaised + (raised ? 1 : 0) };
                progress?.Report(result);
                continue;
            }

            if (ended.Count == PerUser || change.User != of)
            {
                result = await EndAsync(of, ended, result).ConfigureAwait(false);
                progress?.Report(result);
                cancellationToken.ThrowIfCancellationRequested();
            }

            of = change.User;
            ended.Add(change);
        }

        return await EndAsync(of, ended, result).ConfigureAwait(false);
    }

    private async Task<ReplayResult> EndAsync(UserReference user, List<ArchiveChange> changes, ReplayResult result)
    {
        if (changes.Count == 0)
        {
            return result;
        }

        var (sessions, families) = await fence.ReplayAsync(user, changes).ConfigureAwait(false);
        result = result with
        {
            Sessions = result.Sessions + changes.Count,
            SessionsEnded = result.SessionsEnded + sessions,
            FamiliesEnded = result.FamiliesEnded + families,
        };
        changes.Clear();
        return result;
    }
}

/// <summary>What a replay did.</summary>
/// <param name="Generations">Generations compared.</param>
/// <param name="GenerationsRaised">Generations that Redis lacked or had too low.</param>
/// <param name="Sessions">Ended sessions looked at.</param>
/// <param name="SessionsEnded">Sessions that had come back and were ended again.</param>
/// <param name="FamiliesEnded">Refresh families that had come back with sessions that were revoked, and were ended with them.</param>
public sealed record ReplayResult(long Generations, long GenerationsRaised, long Sessions, long SessionsEnded, long FamiliesEnded);
