using Maintenance.Storage.Memory;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.RefreshTokens;

/// <summary>Refresh families of one process, with the semantics of <see cref="RedisRefreshTokenStore"/>, beside an <see cref="InMemorySessionStore"/>.</summary>
public sealed class InMemoryRefreshTokenStore : IRefreshTokenStore, IDisposable
{
    private readonly MemoryUsers users;
    private readonly MemorySessions sessions;
    private readonly IOptionsMonitor<RefreshTokenOptions> options;
    private readonly IOptionsMonitor<TokenLifetimeOptions> lifetimes;
    private readonly MemoryTokens<Family> families;

    internal InMemoryRefreshTokenStore(
        MemoryUsers users,
        MemorySessions sessions,
        IOptionsMonitor<RefreshTokenOptions> options,
        IOptionsMonitor<TokenLifetimeOptions> lifetimes,
        MemoryOptions memory,
        TimeProvider timeProvider)
    {
        this.users = users;
        this.sessions = sessions;
        this.options = options;
        this.lifetimes = lifetimes;
        families = new MemoryTokens<Family>(InstrumentedRefreshTokenStore.StoreLabel, users, memory, timeProvider);
        // As the sessions' scripts do it: with the gate held, so that no family is born or moved in between.
        sessions.Ended = (user, chain) =>
        {
            foreach (var family in families.All(user).Where(family => family.Value.SessionId is { } bound && chain.Contains(bound)))
            {
                families.Remove(user, family.Id);
            }
        };
        sessions.Rotated = (user, from, to) => Move(user, from, to);
    }

    /// <inheritdoc/>
    public Task<RefreshIssue> IssueAsync(NewRefreshFamily family, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(family);
        cancellationToken.ThrowIfCancellationRequested();
        var user = UserReference.Of(family.UserId);
        var life = TimeSpan.FromMilliseconds(TokenLife.Milliseconds(family.Life ?? lifetimes.CurrentValue.RefreshToken, nameof(family.Life)));
        var token = RefreshToken.Create(user, TokenId.Random());
        lock (users.Gate(user))
        {
            var session = family.SessionId;
            if (session is { } id && id != default)
            {
                sessions.Find(user, id, out var held);
                if (held is null)
                {
                    return Task.FromResult(new RefreshIssue(null, null));
                }

                session = held.Session.Id;
            }

            var value = new Family(family.UserId, token.Hash, null, users.Now, 0, session);
            var (stored, evicted) = families.Add(user, token.FamilyId, value, life, options.CurrentValue.MaxFamiliesPerUser);
            return Task.FromResult(new RefreshIssue(token, Public(stored), evicted));
        }
    }

    /// <inheritdoc/>
    public Task<RefreshRotation> RotateAsync(string? token, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!RefreshToken.TryParse(token, out var parsed))
        {
            return Task.FromResult(new RefreshRotation(RefreshOutcome.Denied, Denial: TokenDenial.Malformed));
        }

        var user = parsed.User;
        lock (users.Gate(user))
        {
            var denial = families.Find(user, parsed.FamilyId, out var found);
            if (found is null)
            {
                return Task.FromResult(new RefreshRotation(RefreshOutcome.Denied, Denial: denial));
            }

            var (now, family) = (users.Now, found.Value);
            var next = RefreshToken.Create(user, parsed.FamilyId);
            if (parsed.Hash == family.Current)
            {
                return Exchange(
                    RefreshOutcome.Rotated,
                    family with { Current = next.Hash, Previous = family.Current, RotatedAt = now, Rotations = family.Rotations + 1 });
            }

            if (parsed.Hash == family.Previous && now - family.RotatedAt < options.CurrentValue.RotationGrace)
            {
                return Exchange(RefreshOutcome.Replaced, family with { Current = next.Hash });
            }

            families.Remove(user, found.Id);
            if (family.SessionId is { } session)
            {
                sessions.End(user, session);
            }

            return Task.FromResult(new RefreshRotation(RefreshOutcome.Reused, Family: Public(found)));

            Task<RefreshRotation> Exchange(RefreshOutcome outcome, Family changed)
            {
                var stored = found with { Value = changed };
                families.Replace(user, stored);
                return Task.FromResult(new RefreshRotation(outcome, next, Public(stored)));
            }
        }
    }

    /// <inheritdoc/>
    public Task<bool> BindSessionAsync(string userId, TokenId familyId, SessionId sessionId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var user = UserReference.Of(userId);
        lock (users.Gate(user))
        {
            families.Find(user, familyId, out var family);
            sessions.Find(user, sessionId, out var session);
            var bound = family is not null && session is not null && session.Session.Id == sessionId;
            if (bound)
            {
                families.Replace(user, family! with { Value = family.Value with { SessionId = sessionId } });
            }

            return Task.FromResult(bound);
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<RefreshFamily>> ListAsync(string userId, CancellationToken cancellationToken) =>
        users.LockedAsync<IReadOnlyList<RefreshFamily>>(userId, user => [.. families.Live(user).Select(Public)], cancellationToken);

    /// <inheritdoc/>
    public Task<Revocation> RevokeAsync(string userId, TokenId familyId, CancellationToken cancellationToken) =>
        users.LockedAsync(userId, user => families.Remove(user, familyId) ? Revocation.One : Revocation.Nothing, cancellationToken);

    /// <inheritdoc/>
    public Task<Revocation> RevokeAllAsync(string userId, CancellationToken cancellationToken) =>
        users.LockedAsync(userId, user => new Revocation(families.RemoveAll(user)), cancellationToken);

    /// <inheritdoc/>
    public Task<Revocation> RevokeForSessionAsync(string userId, SessionId sessionId, CancellationToken cancellationToken) =>
        users.LockedAsync(userId, user => new Revocation(Of(user, sessionId).Count(family => families.Remove(user, family.Id))), cancellationToken);

    /// <inheritdoc/>
    public Task<int> MoveSessionAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken) =>
        users.LockedAsync(
            userId,
            user => Move(user, from, to),
            cancellationToken);

    /// <inheritdoc/>
    public Task<int> CarryOverAsync(string userId, SessionId? kept, CancellationToken cancellationToken) =>
        users.LockedAsync(
            userId,
            user =>
            {
                MemorySessions.Held? valid = null;
                if (kept is { } session)
                {
                    sessions.Find(user, session, out valid);
                }

                var generation = users.Generation(user);
                MemoryToken<Family>[] old = [.. families.All(user).Where(family => family.Generation != generation)];
                MemoryToken<Family>[] carried = valid is null ? [] : [.. old.Intersect(Of(user, kept!.Value))];
                foreach (var family in carried)
                {
                    families.Replace(user, family with { Generation = users.GenerationFor(user, family.ExpiresAt - users.Now) });
                }

                return old.Except(carried).Count(family => families.Remove(user, family.Id));
            },
            cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => families.Dispose();

    /// <summary>Forgets a user's families; how many there were. To be called with the user's gate held.</summary>
    internal long EraseUser(UserReference user) => families.RemoveAll(user);

    private int Move(UserReference user, SessionId from, SessionId to)
    {
        MemoryToken<Family>[] moved = [.. families.All(user).Where(family => family.Value.SessionId == from)];
        Array.ForEach(moved, family => families.Replace(user, family with { Value = family.Value with { SessionId = to } }));
        return moved.Length;
    }

    private List<MemoryToken<Family>> Of(UserReference user, SessionId session)
    {
        var chain = sessions.Chain(user, session);
        return [.. families.All(user).Where(family => family.Value.SessionId is { } bound && chain.Contains(bound))];
    }

    private static RefreshFamily Public(MemoryToken<Family> token) => new()
    {
        Id = token.Id,
        UserId = token.Value.UserId,
        SessionId = token.Value.SessionId,
        CreatedAt = token.CreatedAt,
        ExpiresAt = token.ExpiresAt,
        RotatedAt = token.Value.RotatedAt,
        Rotations = token.Value.Rotations,
        Generation = token.Generation,
    };

    private sealed record Family(string UserId, TokenId Current, TokenId? Previous, DateTimeOffset RotatedAt, int Rotations, SessionId? SessionId);
}
