using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Archive;

/// <summary>Brings back what Redis has lost, behind the user's fence (<see cref="ArchiveFence"/>).</summary>
/// <param name="archive">The durable copy.</param>
/// <param name="fence">Redis, behind the fence.</param>
/// <param name="kept">A session without what may not be kept any more.</param>
internal sealed class ArchiveReadThrough(ISessionArchive archive, ArchiveFence fence, Func<Session, Session> kept)
{
    // Each further round means that something of the user ended during the last one.
    private const int MostRounds = 4;

    /// <summary>Puts a session that Redis has lost back, if the archive has it live.</summary>
    /// <returns>Whether it is worth asking Redis again.</returns>
    public async Task<bool> RestoreAsync(UserReference user, SessionId id, SessionDenial denial, CancellationToken cancellationToken)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            var read = await fence.BeginAsync(user, id, cancellationToken).ConfigureAwait(false);
            // A record beside a generation that is there was ended by that: no need to ask.
            if (read.Ended || read.Fence.Length == 0 || (denial == SessionDenial.Revoked && read.Generation is not null))
            {
                return false;
            }

            if (await archive.FindAsync(user, id, cancellationToken).ConfigureAwait(false) is not { } session || UserReference.Of(session.UserId) != user)
            {
                return false;
            }

            switch (await fence.RestoreAsync(read, kept(session), cancellationToken).ConfigureAwait(false))
            {
                case "restored":
                    // Once more: a failover in between may have brought a fence back that had been taken away.
                    if (await archive.FindAsync(user, id, cancellationToken).ConfigureAwait(false) is not null)
                    {
                        return true;
                    }

                    await fence.SealAsync(user, [id], endRecords: true).ConfigureAwait(false);
                    return false;
                case "fenced":
                    break;
                case "present":
                    // A record without its generation; or somebody else has just put it back.
                    return denial != SessionDenial.Revoked || await RestoreGenerationAsync(user, cancellationToken).ConfigureAwait(false);
                default:
                    return false;
            }
        }

        // Denied, for now: so many things of this user are ending.
        return false;
    }

    /// <summary>Puts a generation that Redis has lost back, and brings up one that is behind.</summary>
    /// <returns>Whether Redis has the archive's now.</returns>
    public async Task<bool> RestoreGenerationAsync(UserReference user, CancellationToken cancellationToken)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            var read = await fence.BeginAsync(user, default, cancellationToken).ConfigureAwait(false);
            if (await archive.GetGenerationAsync(user, cancellationToken).ConfigureAwait(false) is not { } generation)
            {
                return false;
            }

            if (read.Generation == generation)
            {
                return true;
            }

            if (read.Fence.Length == 0 || read.Generation > generation)
            {
                return false;
            }

            if (await fence.RestoreAsync(read, user, generation, cancellationToken).ConfigureAwait(false) == "restored")
            {
                return true;
            }
        }

        return false;
    }
}
