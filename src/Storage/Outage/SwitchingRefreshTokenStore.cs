using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.Outage;

/// <summary>
/// Refresh families in Redis, or in memory for users whose state is there by choice. While Redis is away nothing is issued or exchanged, whatever the
/// policies say; what is revoked then is journalled.
/// </summary>
internal sealed class SwitchingRefreshTokenStore(
    Lazy<IRefreshTokenStore> redis,
    InMemoryRefreshTokenStore memory,
    MemorySessions held,
    MemoryUsers users,
    StorageSwitch mode,
    PendingRevocations pending,
    Revoker revoker) : IRefreshTokenStore
{
    /// <inheritdoc/>
    public Task<RefreshIssue> IssueAsync(NewRefreshFamily family, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(family);
        return Usable(UserReference.Of(family.UserId)).IssueAsync(family, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<RefreshRotation> RotateAsync(string? token, CancellationToken cancellationToken) => RefreshToken.TryParse(token, out var parsed)
        ? Usable(parsed.User).RotateAsync(token, cancellationToken)
        : Task.FromResult(new RefreshRotation(RefreshOutcome.Denied, Denial: TokenDenial.Malformed));

    /// <inheritdoc/>
    public Task<bool> BindSessionAsync(string userId, TokenId familyId, SessionId sessionId, CancellationToken cancellationToken) =>
        Usable(UserReference.Of(userId)).BindSessionAsync(userId, familyId, sessionId, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RefreshFamily>> ListAsync(string userId, CancellationToken cancellationToken) =>
        Usable(UserReference.Of(userId)).ListAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public Task<Revocation> RevokeAsync(string userId, TokenId familyId, CancellationToken cancellationToken) => EndAsync(
        userId,
        store => store.RevokeAsync(userId, familyId, cancellationToken),
        user => familyId == default ? null : Revoker.Entry(RevocationKind.RefreshFamily, user, familyId.Value),
        cancellationToken);

    /// <inheritdoc/>
    public Task<Revocation> RevokeAllAsync(string userId, CancellationToken cancellationToken) => EndAsync(
        userId,
        store => store.RevokeAllAsync(userId, cancellationToken),
        user => Revoker.Entry(RevocationKind.RefreshFamilies, user),
        cancellationToken);

    /// <inheritdoc/>
    public Task<Revocation> RevokeForSessionAsync(string userId, SessionId sessionId, CancellationToken cancellationToken) => EndAsync(
        userId,
        store => store.RevokeForSessionAsync(userId, sessionId, cancellationToken),
        // A session that was born here has no family in Redis.
        user => sessionId == default || IsHere(user, sessionId) ? null : Revoker.Entry(RevocationKind.RefreshFamiliesOfSession, user, sessionId.Value),
        cancellationToken);

    /// <inheritdoc/>
    public Task<int> MoveSessionAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        return mode.RouteOf(user) == StorageRoute.Memory
            ? memory.MoveSessionAsync(userId, from, to, cancellationToken)
            : IsHere(user, to) ? Task.FromResult(0) : redis.Value.MoveSessionAsync(userId, from, to, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<int> CarryOverAsync(string userId, SessionId? kept, CancellationToken cancellationToken) =>
        (mode.RouteOf(UserReference.Of(userId)) == StorageRoute.Memory ? memory : redis.Value).CarryOverAsync(userId, kept, cancellationToken);

    // Redis answers for no user whose revocation it has not carried out: which family it concerned, only Redis knows.
    private IRefreshTokenStore Usable(UserReference user) => mode.RouteOf(user) switch
    {
        StorageRoute.Memory => memory,
        StorageRoute.Redis when pending.Concerns(user) => throw RedisBreaker.Away(),
        _ => redis.Value,
    };

    private async Task<Revocation> EndAsync(
        string userId, Func<IRefreshTokenStore, Task<Revocation>> end, Func<UserReference, JournalledRevocation?> entry, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        if (!mode.RedisWasUsed)
        {
            return await end(memory).ConfigureAwait(false);
        }

        var there = entry(user);
        var here = users.Generation(user) is null ? Revocation.Nothing : await end(memory).ConfigureAwait(false);
        if (there is null)
        {
            return here;
        }

        var (ended, outcome) = await revoker.RunAsync(() => end(redis.Value), () => there, cancellationToken).ConfigureAwait(false);
        return new Revocation(here.Ended + ended.Ended, outcome);
    }

    private bool IsHere(UserReference user, SessionId id)
    {
        lock (users.Gate(user))
        {
            return held.Contains(user, id);
        }
    }
}
