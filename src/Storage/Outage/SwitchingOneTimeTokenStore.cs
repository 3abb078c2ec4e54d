using Maintenance.Storage.Memory;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.Outage;

/// <summary>
/// One-time tokens in Redis, or in memory for users whose state is there by choice. While Redis is away none is issued or redeemed, whatever the policies
/// say: a second store would accept a token twice.
/// </summary>
internal sealed class SwitchingOneTimeTokenStore(
    Lazy<IOneTimeTokenStore> redis, InMemoryOneTimeTokenStore memory, MemoryUsers users, StorageSwitch mode, PendingRevocations pending, Revoker revoker)
    : IOneTimeTokenStore
{
    /// <inheritdoc/>
    public Task<IssuedOneTimeToken> IssueAsync(OneTimePurpose purpose, string userId, string? data, CancellationToken cancellationToken) =>
        Usable(UserReference.Of(userId)).IssueAsync(purpose, userId, data, cancellationToken);

    /// <inheritdoc/>
    public Task<OneTimeRedemption> RedeemAsync(OneTimePurpose purpose, string? token, CancellationToken cancellationToken) =>
        SecretToken.TryParse(token, out var parsed)
            ? Usable(parsed.User).RedeemAsync(purpose, token, cancellationToken)
            : Task.FromResult(OneTimeRedemption.Denied(TokenDenial.Malformed));

    /// <inheritdoc/>
    public Task<OneTimeRedemption> PeekAsync(OneTimePurpose purpose, string? token, CancellationToken cancellationToken) =>
        SecretToken.TryParse(token, out var parsed)
            ? Usable(parsed.User).PeekAsync(purpose, token, cancellationToken)
            : Task.FromResult(OneTimeRedemption.Denied(TokenDenial.Malformed));

    /// <inheritdoc/>
    public Task<int> CountActiveAsync(OneTimePurpose purpose, string userId, CancellationToken cancellationToken) =>
        Usable(UserReference.Of(userId)).CountActiveAsync(purpose, userId, cancellationToken);

    /// <inheritdoc/>
    public async Task<Revocation> InvalidateAllAsync(OneTimePurpose purpose, string userId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        if (!mode.RedisWasUsed)
        {
            return await memory.InvalidateAllAsync(purpose, userId, cancellationToken).ConfigureAwait(false);
        }

        var here = users.Generation(user) is null
            ? Revocation.Nothing
            : await memory.InvalidateAllAsync(purpose, userId, cancellationToken).ConfigureAwait(false);
        var (there, outcome) = await revoker.RunAsync(
            () => redis.Value.InvalidateAllAsync(purpose, userId, cancellationToken),
            () => Revoker.Entry(RevocationKind.OneTimeTokens, user, purpose.ToString()),
            cancellationToken).ConfigureAwait(false);
        return new Revocation(here.Ended + there.Ended, outcome);
    }

    // Redis answers for no user whose revocation it has not carried out.
    private IOneTimeTokenStore Usable(UserReference user) => mode.RouteOf(user) switch
    {
        StorageRoute.Memory => memory,
        StorageRoute.Redis when pending.Concerns(user) => throw RedisBreaker.Away(),
        _ => redis.Value,
    };
}
