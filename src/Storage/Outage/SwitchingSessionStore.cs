using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Outage;

/// <summary>
/// Redis, or this host's memory: by the mode, by the user's share, and by the policy while Redis is away. A session that was born in memory is answered
/// from there until it has been moved; one that only Redis knows is denied while Redis is away, never guessed.
/// </summary>
internal sealed class SwitchingSessionStore(
    Lazy<ISessionStore> redis,
    InMemorySessionStore memory,
    MemorySessions held,
    MemoryUsers users,
    StorageSwitch mode,
    PendingRevocations pending,
    Revoker revoker,
    RedisWatch watch,
    SessionMover mover,
    OutageOptions options,
    OutageRules rules,
    IOptionsMonitor<SessionOptions> sessions,
    RotatedIds rotated) : ISessionStore
{
    /// <inheritdoc/>
    public async Task<IssuedSession> CreateAsync(NewSession session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        var user = UserReference.Of(session.UserId);
        var route = mode.RouteOf(user);
        if (route == StorageRoute.Memory)
        {
            return await memory.CreateAsync(session, cancellationToken).ConfigureAwait(false);
        }

        // A session in Redis would end with the log-out everywhere that waits.
        if (route == StorageRoute.Redis && !pending.EndsAll(user))
        {
            try
            {
                return await redis.Value.CreateAsync(session, cancellationToken).ConfigureAwait(false);
            }
            catch (StorageUnavailableException exception) when (exception.Reason is not (UnavailableReason.OutOfMemory or UnavailableReason.Moving) && mode.FallsBack(options.Sessions))
            {
                // It is moved as soon as Redis answers. Redis may have taken the other one all the same, and what is ended here under an id must not live on there.
                session = session with { Token = null };
            }
        }

        watch.Suspect();
        return mode.FallsBack(options.Sessions) ? await memory.CreateAsync(session, cancellationToken).ConfigureAwait(false) : throw RedisBreaker.Away();
    }

    /// <inheritdoc/>
    public async Task<long?> GetGenerationAsync(string userId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        switch (mode.RouteOf(user))
        {
            case StorageRoute.Memory:
                return users.Generation(user);
            case StorageRoute.Away:
                return Unknown<long?>(null);
            case StorageRoute.Redis:
            default:
                // One that is to change as soon as the journal is carried out says nothing.
                return pending.EndsAll(user) ? null : await redis.Value.GetGenerationAsync(userId, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken)
    {
        if (!SessionToken.TryParse(token, out var parsed))
        {
            return SessionValidation.Denied(SessionDenial.Malformed);
        }

        var route = mode.RouteOf(parsed.User);
        if (route == StorageRoute.Memory || held.Count > 0)
        {
            var validation = await memory.ValidateAsync(token, cancellationToken).ConfigureAwait(false);
            // Not found may also mean that it has just been moved.
            if (route == StorageRoute.Memory || validation.Denial != SessionDenial.NotFound)
            {
                return validation;
            }
        }

        if (route == StorageRoute.Away)
        {
            return Unknown(SessionValidation.Denied(SessionDenial.NotFound));
        }

        if (IsEnded(parsed.User, parsed.Id))
        {
            return SessionValidation.Denied(SessionDenial.Revoked);
        }

        var answer = await redis.Value.ValidateAsync(token, cancellationToken).ConfigureAwait(false);
        // Again: it may have been revoked since, or the token may have been an id that a rotation replaced.
        return answer.Session is { } session && (IsEnded(parsed.User, parsed.Id) || IsEnded(parsed.User, session.Id))
            ? SessionValidation.Denied(SessionDenial.Revoked)
            : answer;
    }

    /// <inheritdoc/>
    public async Task<Session?> GetAsync(string userId, SessionId id, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        var route = mode.RouteOf(user);
        if (route == StorageRoute.Memory || held.Count > 0)
        {
            var born = await memory.GetAsync(userId, id, cancellationToken).ConfigureAwait(false);
            if (born is not null || route == StorageRoute.Memory)
            {
                return born;
            }
        }

        if (route == StorageRoute.Away)
        {
            return Unknown<Session?>(null);
        }

        return await redis.Value.GetAsync(userId, id, cancellationToken).ConfigureAwait(false) is { } session && !IsEnded(user, session.Id) ? session : null;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Session>> ListAsync(string userId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        var route = mode.RouteOf(user);
        IReadOnlyList<Session> born = route == StorageRoute.Memory || held.Count > 0
            ? await memory.ListAsync(userId, cancellationToken).ConfigureAwait(false)
            : [];
        switch (route)
        {
            case StorageRoute.Memory:
                return born;
            case StorageRoute.Away:
                return Unknown(born);
            case StorageRoute.Redis:
            default:
                var stored = await redis.Value.ListAsync(userId, cancellationToken).ConfigureAwait(false);
                return born.Count == 0 && pending.Count == 0
                    ? stored
                    : [.. stored.Where(session => !IsEnded(user, session.Id)).Concat(born).DistinctBy(session => session.Id).OrderByDescending(session => session.LastSeenAt)];
        }
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

        if (!mode.RedisWasUsed)
        {
            return await memory.RevokeAsync(userId, id, cancellationToken).ConfigureAwait(false);
        }

        using var still = await StillAsync(user, cancellationToken).ConfigureAwait(false);
        var doubtful = mover.IsUnsettled(user, id);
        var here = IsHere(user) ? await memory.RevokeAsync(userId, id, cancellationToken).ConfigureAwait(false) : Revocation.Nothing;
        if (here.Ended > 0 && !doubtful)
        {
            return here;
        }

        // An id that was rotated on this host may be gone when this is carried out; the session then has another one.
        IReadOnlyList<SessionId> chain = rotated.Follow(user, id);
        var answer = here;
        foreach (var link in chain)
        {
            var (ended, outcome) = await revoker.RunAsync(
                () => doubtful ? throw RedisBreaker.Away() : redis.Value.RevokeAsync(userId, link, cancellationToken),
                () => Revoker.Entry(RevocationKind.Session, user, link.Value),
                cancellationToken).ConfigureAwait(false);
            answer = (answer with { Ended = Math.Max(answer.Ended, ended.Ended) }).With(outcome);
        }

        return answer;
    }

    /// <inheritdoc/>
    public async Task<RevokedSessions> RevokeAllAsync(string userId, SessionId? except, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        if (!mode.RedisWasUsed)
        {
            return await memory.RevokeAllAsync(userId, except, cancellationToken).ConfigureAwait(false);
        }

        using var still = await StillAsync(user, cancellationToken).ConfigureAwait(false);
        var here = IsHere(user) ? await memory.RevokeAllAsync(userId, except, cancellationToken).ConfigureAwait(false) : new RevokedSessions(0, KeptSession: false);
        var kept = except is { } id && id != default ? rotated.Follow(user, id)[^1] : (SessionId?)null;
        var (there, outcome) = await revoker.RunAsync(
            () => redis.Value.RevokeAllAsync(userId, except, cancellationToken),
            () => Revoker.Entry(RevocationKind.User, user) with { Except = kept?.Value },
            cancellationToken).ConfigureAwait(false);
        return new RevokedSessions(here.EndedSessions + (there?.EndedSessions ?? 0), here.KeptSession || there?.KeptSession == true) { Outcome = outcome };
    }

    /// <inheritdoc/>
    public async Task<SessionRotation> RotateAsync(string? token, SessionChanges changes, CancellationToken cancellationToken)
    {
        if (!SessionToken.TryParse(token, out var old))
        {
            return new SessionRotation(RotationOutcome.Denied, Denial: SessionDenial.Malformed);
        }

        var route = mode.RouteOf(old.User);
        if (route == StorageRoute.Memory || held.Count > 0)
        {
            using var still = await StillAsync(old.User, cancellationToken).ConfigureAwait(false);
            if (mover.IsUnsettled(old.User, old.Id))
            {
                // If it is in Redis as well, it would go on there under its old id.
                throw RedisBreaker.Away();
            }

            var here = await memory.RotateAsync(token, changes, cancellationToken).ConfigureAwait(false);
            if (route == StorageRoute.Memory || here.Denial != SessionDenial.NotFound)
            {
                return here;
            }
        }

        if (route == StorageRoute.Away)
        {
            return Unknown(new SessionRotation(RotationOutcome.Denied, Denial: SessionDenial.NotFound));
        }

        if (IsEnded(old.User, old.Id))
        {
            return new SessionRotation(RotationOutcome.Denied, Denial: SessionDenial.Revoked);
        }

        var rotation = await redis.Value.RotateAsync(token, changes, cancellationToken).ConfigureAwait(false);
        if (rotation.Issued is { } issued)
        {
            rotated.Remember(old.User, old.Id, issued.Token.Id, sessions.CurrentValue.RotationGrace);
        }

        return rotation;
    }

    private bool IsEnded(UserReference user, SessionId id) => rules.DeniesPending && pending.Ends(user, id);

    // Whether this host's memory has anything that a generation of the user could end.
    private bool IsHere(UserReference user) => users.Generation(user) is not null;

    // Nothing of a user is moved to Redis while it is being ended here.
    private async Task<IDisposable?> StillAsync(UserReference user, CancellationToken cancellationToken) =>
        held.Count > 0 && IsHere(user) ? await mover.PauseAsync(cancellationToken).ConfigureAwait(false) : null;

    private T Unknown<T>(T denied)
    {
        watch.Suspect();
        return mode.FallsBack(options.Sessions) ? denied : throw RedisBreaker.Away();
    }
}
