using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

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
    private readonly RedisSessionStore inner;
    private readonly ISessionArchive archive;
    private readonly ArchiveFence fence;
    private readonly ArchiveReadThrough through;
    private readonly LastAccessBatch accesses;
    private readonly IOptionsMonitor<SessionOptions> options;
    private readonly ILogger logger;

    internal ArchivedSessionStore(
        RedisSessionStore inner,
        ISessionArchive archive,
        ArchiveFence fence,
        ArchiveReadThrough through,
        LastAccessBatch accesses,
        IOptionsMonitor<SessionOptions> options,
        ILogger<ArchivedSessionStore> logger)
    {
        this.inner = inner;
        this.archive = archive;
        this.fence = fence;
        this.through = through;
        this.accesses = accesses;
        this.options = options;
        this.logger = logger;
    }

    /// <inheritdoc/>
    public async Task<IssuedSession> CreateAsync(NewSession session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        var user = UserReference.Of(session.UserId);
        var reached = await TryArchiveAsync(() => through.RestoreGenerationAsync(user, cancellationToken)).ConfigureAwait(false);
        var issued = await inner.CreateAsync(session, cancellationToken).ConfigureAwait(false);
        var added = true;
        // Without the caller's token from here: the session is there. A second wait for an archive that is away would only cost time.
        var kept = reached && await TryArchiveAsync(async () =>
            added = await archive.AddAsync(issued.Session, issued.EvictedIds, CancellationToken.None).ConfigureAwait(false)).ConfigureAwait(false);
        if (!kept)
        {
            logger.SessionNotArchived(issued.Session.Id.ToLogString());
        }

        // The log-in's script has left marks that outlive them; now that the archive knows, short ones do. A reader that found no mark, because Redis
        // was full, may have brought one back meanwhile.
        if (kept && issued.EvictedIds.Count > 0)
        {
            await TrySealAsync(user, issued.EvictedIds).ConfigureAwait(false);
        }

        if (!added)
        {
            // Logged in, and logged out again by a revocation at the same time.
            await fence.SealAsync(user, [issued.Session.Id], endRecords: true).ConfigureAwait(false);
        }

        return issued;
    }

    /// <inheritdoc/>
    public Task<long?> GetGenerationAsync(string userId, CancellationToken cancellationToken) => inner.GetGenerationAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public async Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken)
    {
        var validation = await inner.ValidateAsync(token, cancellationToken).ConfigureAwait(false);
        if (validation.Session is null
            && validation.Denial is SessionDenial.NotFound or SessionDenial.Revoked
            && SessionToken.TryParse(token, out var parsed)
            && await through.RestoreAsync(parsed.User, parsed.Id, validation.Denial, cancellationToken).ConfigureAwait(false))
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

        return found is null ? null : through.Hide(found);
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
        return [.. live.Concat(archived.Where(session => !known.Contains(session.Id)).Select(through.Hide)).OrderByDescending(session => session.LastSeenAt)];
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

        // Where Redis leads from this id the archive may not know: it may have been away when the id was replaced. It is told before anything ends, because
        // with the alias nobody would find the way again.
        List<SessionId> told = [];
        var ended = await TellAsync(user, await inner.ChainAsync(user, id, cancellationToken).ConfigureAwait(false), told, cancellationToken).ConfigureAwait(false);
        await fence.SealAsync(user, told, endRecords: false).ConfigureAwait(false);
        for (var at = 0; at < told.Count; at++)
        {
            var (revoked, met) = await inner.EndAsync(user, told[at], CancellationToken.None).ConfigureAwait(false);
            ended |= revoked;
            var known = told.Count;
            // Rotated since it was asked. The script has left a mark for each.
            ended |= await TellAsync(user, met, told, CancellationToken.None).ConfigureAwait(false);
            if (told.Count > known)
            {
                await fence.SealAsync(user, [.. told.Skip(known)], endRecords: false).ConfigureAwait(false);
            }
        }

        return ended ? Revocation.One : Revocation.Nothing;
    }

    /// <inheritdoc/>
    public async Task<RevokedSessions> RevokeAllAsync(string userId, SessionId? except, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        if (except is { } kept && kept != default && await inner.GetAsync(userId, kept, cancellationToken).ConfigureAwait(false) is null)
        {
            await through.RestoreAsync(user, kept, SessionDenial.NotFound, cancellationToken).ConfigureAwait(false);
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
            live = await archive.CompleteRotationAsync(old.Id, issued.Session, options.CurrentValue.RotationGrace, CancellationToken.None).ConfigureAwait(false)).ConfigureAwait(false))
        {
            logger.SessionNotArchived(issued.Session.Id.ToLogString());
        }

        if (live)
        {
            await TrySealAsync(old.User, [old.Id]).ConfigureAwait(false);
            return rotation;
        }

        await fence.SealAsync(old.User, [old.Id, issued.Session.Id], endRecords: true).ConfigureAwait(false);
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

    // Ends sessions in the archive that it has not been told of yet; whether one of them was live there.
    private async Task<bool> TellAsync(UserReference user, IReadOnlyList<SessionId> ids, List<SessionId> told, CancellationToken cancellationToken)
    {
        var live = false;
        foreach (var id in ids.Where(id => !told.Contains(id)).ToList())
        {
            var revoked = await archive.RevokeAsync(user, id, fence.Longest, cancellationToken).ConfigureAwait(false);
            live |= revoked.WasLive;
            told.AddRange(revoked.Ids.Where(each => !told.Contains(each)));
        }

        return live;
    }

    // What the archive knows, and Redis's own script has marked. Its answer would only cost the caller a token that is good.
    private async Task TrySealAsync(UserReference user, IReadOnlyList<SessionId> ids)
    {
        try
        {
            await fence.SealAsync(user, ids, endRecords: true).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or RedisServerException)
        {
            logger.TombstonesStay(ids.Count, exception.Message);
        }
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
