using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Archive;

/// <summary>
/// Brings back what Redis has lost, behind the user's fence (<see cref="ArchiveFence"/>). A token that nobody was ever given costs one query and writes
/// nothing, and however many come at once, only so many are looked up: what ends sessions must not have to wait for them.
/// </summary>
/// <param name="archive">The durable copy.</param>
/// <param name="fence">Redis, behind the fence.</param>
/// <param name="options">How long client details are kept.</param>
/// <param name="timeProvider">Clock.</param>
internal sealed class ArchiveReadThrough(
    ISessionArchive archive, ArchiveFence fence, IOptionsMonitor<SessionOptions> options, TimeProvider timeProvider) : IDisposable
{
    /// <summary>Look-ups of one host at the same time. A third of a pool of 100 connections.</summary>
    public const int MostAtOnce = 32;

    private const int MostMissed = 10_000;

    // Each further round means that something of the user ended during the last one.
    private const int MostRounds = 4;

    // Who is not live in the archive never becomes so again, except by a batch of last accesses that is late.
    private static readonly TimeSpan MissedLife = TimeSpan.FromSeconds(5);

    // Shorter than anybody waits for a page.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly ExpiringMap<(UserReference User, SessionId Id), bool> missed = new(MostMissed, timeProvider, whenFull: WhenFull.DropSoonest);
    private readonly SemaphoreSlim places = new(MostAtOnce, MostAtOnce);

    /// <summary>Puts a session that Redis has lost back, if the archive has it live.</summary>
    /// <returns>Whether it is worth asking Redis again.</returns>
    /// <exception cref="StorageUnavailableException">Redis or the archive did not answer, or too many are looked up already.</exception>
    public async Task<bool> RestoreAsync(UserReference user, SessionId id, SessionDenial denial, CancellationToken cancellationToken)
    {
        if (missed.TryGet((user, id), out _))
        {
            return false;
        }

        if (denial == SessionDenial.NotFound && await fence.IsEndedAsync(user, id, cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        if (!await places.WaitAsync(LongestWait, cancellationToken).ConfigureAwait(false))
        {
            throw new StorageUnavailableException(UnavailableReason.Archive, $"{MostAtOnce} sessions are being looked up in the archive already.");
        }

        try
        {
            // Without the fence first, which is a write: most of what Redis does not know, nobody knows.
            if (denial == SessionDenial.NotFound && await archive.FindAsync(user, id, cancellationToken).ConfigureAwait(false) is null)
            {
                missed.TrySet((user, id), true, MissedLife);
                return false;
            }

            return await RestoreBehindFenceAsync(user, id, denial, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            places.Release();
        }
    }

    /// <summary>A session of the archive without what may not be kept any more.</summary>
    public Session Hide(Session session) => ClientDetails.Hide(session, options.CurrentValue.ClientDetailsLife, timeProvider.GetUtcNow());

    /// <inheritdoc/>
    public void Dispose()
    {
        missed.Dispose();
        places.Dispose();
    }

    private async Task<bool> RestoreBehindFenceAsync(UserReference user, SessionId id, SessionDenial denial, CancellationToken cancellationToken)
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

            switch (await fence.RestoreAsync(read, Hide(session), cancellationToken).ConfigureAwait(false))
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
