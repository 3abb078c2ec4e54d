using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Archive;

/// <summary>
/// Sessions in Redis with a durable copy. A validation that Redis answers touches nothing else; one that Redis cannot answer is looked up in the
/// archive and put back. What ends a session is committed in the archive before it is answered, so that nothing brings it back.
/// </summary>
/// <remarks>
/// While the archive does not answer: validations that Redis can answer and log-ins go on (the new session is then only in Redis); what ends a
/// session, and a validation that Redis cannot answer, is <see cref="StorageUnavailableException"/>.
/// </remarks>
public sealed class ArchivedSessionStore : ISessionStore
{
    // Each further round means that something of the user ended during the last one.
    private const int MostRounds = 4;

    private readonly RedisSessionStore inner;
    private readonly ISessionArchive archive;
    private readonly ArchiveFence fence;
    private readonly LastAccessBatch accesses;
    private readonly IOptionsMonitor<SessionOptions> options;
    private readonly ILogger logger;

    internal ArchivedSessionStore(
        RedisSessionStore inner,
        ISessionArchive archive,
        ArchiveFence fence,
        LastAccessBatch accesses,
        IOptionsMonitor<SessionOptions> options,
        ILogger<ArchivedSessionStore> logger)
    {
        this.inner = inner;
        this.archive = archive;
        this.fence = fence;
        this.accesses = accesses;
        this.options = options;
        this.logger = logger;
    }

    /// <inheritdoc/>
    public async Task<IssuedSession> CreateAsync(NewSession session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        var user = UserReference.Of(session.UserId);
        var reached = await TryArchiveAsync(() => RestoreGenerationAsync(user, cancellationToken)).ConfigureAwait(false);
        var issued = await inner.CreateAsync(session, cancellationToken).ConfigureAwait(false);
        if (issued.EvictedIds.Count > 0)
        {
            await fence.SealAsync(user, issued.EvictedIds, endRecords: false).ConfigureAwait(false);
        }

        var added = true;
        // Without the caller's token from here: the session is there. A second wait for an archive that is away would only cost time.
        var kept = reached && await TryArchiveAsync(async () =>
            added = await archive.AddAsync(issued.Session, issued.EvictedIds, CancellationToken.None).ConfigureAwait(false)).ConfigureAwait(false);
        if (!kept)
        {
            logger.SessionNotArchived(issued.Session.Id.ToLogString());
        }

        if (!added)
        {
            // Logged in, and logged out again by a revocation at the same time.
            await fence.SealAsync(user, [issued.Session.Id], endRecords: true).ConfigureAwait(false);
        }

        return issued;
    }

    /// <inheritdoc/>
    public async Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken)
    {
        var validation = await inner.ValidateAsync(token, cancellationToken).ConfigureAwait(false);
        if (validation.Session is null
            && validation.Denial is SessionDenial.NotFound or SessionDenial.Revoked
            && SessionToken.TryParse(token, out var parsed)
            && await ReadThroughAsync(parsed.User, parsed.Id, validation.Denial, cancellationToken).ConfigureAwait(false))
        {
            validation = await inner.ValidateAsync(token, cancellationToken).ConfigureAwait(false);
        }

        if (validation.Session is { } session)
        {
            accesses.Note(session);
        }

        return validation;
    }

    /// <inheritdoc/>
    public async Task<Session?> GetAsync(string userId, SessionId id, CancellationToken cancellationToken)
    {
        if (await inner.GetAsync(userId, id, cancellationToken).ConfigureAwait(false) is { } session)
        {
            return session;
        }

        Session? found = null;
        if (id != default)
        {
            await TryArchiveAsync(async () =>
                found = await archive.FindAsync(UserReference.Of(userId), id, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        }

        return found;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Session>> ListAsync(string userId, CancellationToken cancellationToken)
    {
        var live = await inner.ListAsync(userId, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<Session> archived = [];
        await TryArchiveAsync(async () =>
            archived = await archive.ListAsync(UserReference.Of(userId), cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        // What Redis has lost can come back at any moment, and its user must be able to see and end it.
        var known = live.Select(session => session.Id).ToHashSet();
        return [.. live.Concat(archived.Where(session => !known.Contains(session.Id))).OrderByDescending(session => session.LastSeenAt)];
    }

    /// <inheritdoc/>
    public async Task<int> CountAsync(string userId, CancellationToken cancellationToken) =>
        (await ListAsync(userId, cancellationToken).ConfigureAwait(false)).Count;

    /// <inheritdoc/>
    public async Task<Revocation> RevokeAsync(string userId, SessionId id, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        if (id == default)
        {
            return Revocation.Nothing;
        }

        var revoked = await archive.RevokeAsync(user, id, fence.Longest, cancellationToken).ConfigureAwait(false);
        await fence.SealAsync(user, revoked.Ids, endRecords: false).ConfigureAwait(false);
        var ended = revoked.WasLive;
        foreach (var each in revoked.Ids)
        {
            ended |= await inner.RevokeAsync(userId, each, CancellationToken.None).ConfigureAwait(false);
        }

        return ended ? Revocation.One : Revocation.Nothing;
    }

    /// <inheritdoc/>
    public async Task<RevokedSessions> RevokeAllAsync(string userId, SessionId? except, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        if (except is { } kept && kept != default && await inner.GetAsync(userId, kept, cancellationToken).ConfigureAwait(false) is null)
        {
            await ReadThroughAsync(user, kept, SessionDenial.NotFound, cancellationToken).ConfigureAwait(false);
        }

        var before = await fence.BeginAsync(user, default, cancellationToken).ConfigureAwait(false);
        var committed = await archive.RevokeAllAsync(user, before.Generation ?? 0, except, fence.Longest, cancellationToken).ConfigureAwait(false);
        await fence.SealAsync(user, [], endRecords: false).ConfigureAwait(false);
        var (revoked, generation) = await inner.RevokeAllAsync(userId, except, committed, CancellationToken.None).ConfigureAwait(false);
        if (generation is { } higher && higher != committed)
        {
            // Redis's was above: something of another kind made one, or another revocation was faster.
            await archive.AdvanceGenerationAsync(user, higher, revoked.KeptSession ? except : null, fence.Longest, CancellationToken.None).ConfigureAwait(false);
        }

        if (except is { } lost && lost != default && !revoked.KeptSession)
        {
            await archive.RevokeAsync(user, lost, fence.Longest, CancellationToken.None).ConfigureAwait(false);
        }

        return revoked;
    }

    /// <inheritdoc/>
    public async Task<SessionRotation> RotateAsync(string? token, SessionChanges changes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(changes);
        var validation = await ValidateAsync(token, cancellationToken).ConfigureAwait(false);
        if (validation.Session is not { } session || !SessionToken.TryParse(token, out var old))
        {
            return new SessionRotation(RotationOutcome.Denied, Denial: validation.Denial);
        }

        if (session.Id != old.Id)
        {
            return new SessionRotation(RotationOutcome.AlreadyRotated);
        }

        if (changes.Claims is { } claims)
        {
            // What Redis would refuse must be refused before the old id is given up.
            SessionRecordFormat.EncodeBody(session.UserId, session.IpAddress, session.UserAgent, session.DeviceName, claims);
        }

        await archive.BeginRotationAsync(old.User, old.Id, options.CurrentValue.RotationGrace, cancellationToken).ConfigureAwait(false);
        var rotation = await inner.RotateAsync(token, changes, cancellationToken).ConfigureAwait(false);
        if (rotation.Issued is not { } issued)
        {
            return rotation;
        }

        var live = true;
        if (!await TryArchiveAsync(async () =>
            live = await archive.CompleteRotationAsync(old.Id, issued.Session, CancellationToken.None).ConfigureAwait(false)).ConfigureAwait(false))
        {
            logger.SessionNotArchived(issued.Session.Id.ToLogString());
        }

        await fence.SealAsync(old.User, [old.Id], endRecords: true).ConfigureAwait(false);
        if (live)
        {
            return rotation;
        }

        await fence.SealAsync(old.User, [issued.Session.Id], endRecords: true).ConfigureAwait(false);
        return new SessionRotation(RotationOutcome.Denied, Denial: SessionDenial.Revoked);
    }

    /// <summary>Ends in the archive what has been ended in Redis already. If the archive is away, a tombstone holds it for as long as it could live.</summary>
    internal async Task EndAsync(string userId, SessionId id)
    {
        try
        {
            await RevokeAsync(userId, id, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StorageUnavailableException exception) when (exception.Reason == UnavailableReason.Archive)
        {
            await fence.SealAsync(UserReference.Of(userId), [id], endRecords: false, fence.Longest).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Puts a session that Redis has lost back, if the archive has it live.</summary>
    /// <returns>Whether it is worth asking Redis again.</returns>
    private async Task<bool> ReadThroughAsync(UserReference user, SessionId id, SessionDenial denial, CancellationToken cancellationToken)
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

            switch (await fence.RestoreAsync(read, session, cancellationToken).ConfigureAwait(false))
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
    private async Task<bool> RestoreGenerationAsync(UserReference user, CancellationToken cancellationToken)
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

    // For what may go on without the archive.
    private async Task<bool> TryArchiveAsync(Func<Task> call)
    {
        try
        {
            await call().ConfigureAwait(false);
            return true;
        }
        catch (StorageUnavailableException exception) when (exception.Reason == UnavailableReason.Archive)
        {
            logger.ArchiveUnavailable(exception.Message);
            return false;
        }
    }
}
