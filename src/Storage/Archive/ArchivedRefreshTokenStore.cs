using Maintenance.Storage.Outage;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.Archive;

/// <summary>
/// A refresh token used twice ends its family's session inside Redis; this ends it in the archive too, before the answer. Everything else goes
/// straight to the other store.
/// </summary>
internal sealed class ArchivedRefreshTokenStore(IRefreshTokenStore inner, Func<ArchivedSessionStore> sessions) : IRefreshTokenStore
{
    public Task<RefreshIssue> IssueAsync(NewRefreshFamily family, CancellationToken cancellationToken) => inner.IssueAsync(family, cancellationToken);

    public async Task<RefreshRotation> RotateAsync(string? token, CancellationToken cancellationToken)
    {
        var rotation = await inner.RotateAsync(token, cancellationToken).ConfigureAwait(false);
        if (rotation is { Outcome: RefreshOutcome.Reused, Family: { SessionId: { } session } family })
        {
            // Without the caller's token: whoever holds the stolen one must not be able to keep the session by hanging up.
            await sessions().EndAsync(family.UserId, session).ConfigureAwait(false);
        }

        return rotation;
    }

    public Task<bool> BindSessionAsync(string userId, TokenId familyId, SessionId sessionId, CancellationToken cancellationToken) =>
        inner.BindSessionAsync(userId, familyId, sessionId, cancellationToken);

    public Task<IReadOnlyList<RefreshFamily>> ListAsync(string userId, CancellationToken cancellationToken) => inner.ListAsync(userId, cancellationToken);

    public Task<Revocation> RevokeAsync(string userId, TokenId familyId, CancellationToken cancellationToken) =>
        inner.RevokeAsync(userId, familyId, cancellationToken);

    public Task<Revocation> RevokeAllAsync(string userId, CancellationToken cancellationToken) => inner.RevokeAllAsync(userId, cancellationToken);

    public Task<Revocation> RevokeForSessionAsync(string userId, SessionId sessionId, CancellationToken cancellationToken) =>
        inner.RevokeForSessionAsync(userId, sessionId, cancellationToken);

    public Task<int> MoveSessionAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken) =>
        inner.MoveSessionAsync(userId, from, to, cancellationToken);

    public Task<int> CarryOverAsync(string userId, SessionId? kept, CancellationToken cancellationToken) =>
        inner.CarryOverAsync(userId, kept, cancellationToken);
}
