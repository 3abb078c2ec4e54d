using Maintenance.Storage.Redis;
using Maintenance.Storage.Tokens;
using Maintenance.Storage.TwoFactor;

namespace Maintenance.Storage.Outage;

/// <summary>
/// Two-factor challenges in Redis, or in memory for users whose state is there by choice. While Redis is away none begins and none is answered: a second
/// store would count the attempts anew.
/// </summary>
internal sealed class SwitchingTwoFactorStore(
    Lazy<ITwoFactorStore> redis, InMemoryTwoFactorStore memory, StorageSwitch mode, PendingRevocations pending) : ITwoFactorStore
{
    /// <inheritdoc/>
    public Task<TwoFactorStart> BeginAsync(NewTwoFactorChallenge challenge, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(challenge);
        return Of(challenge.UserId).BeginAsync(challenge, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<TwoFactorChallenge?> PeekAsync(string? token, CancellationToken cancellationToken) => Named(token).PeekAsync(token, cancellationToken);

    /// <inheritdoc/>
    public Task<TwoFactorAttempt> AttemptAsync(string? token, CancellationToken cancellationToken) => Named(token).AttemptAsync(token, cancellationToken);

    /// <inheritdoc/>
    public Task<TwoFactorAttempt> CompleteAsync(string? token, long? timeStep, CancellationToken cancellationToken) =>
        Named(token).CompleteAsync(token, timeStep, cancellationToken);

    /// <inheritdoc/>
    public Task<TwoFactorAttempt> RedeemCodeAsync(string? token, string? code, CancellationToken cancellationToken) =>
        Named(token).RedeemCodeAsync(token, code, cancellationToken);

    /// <inheritdoc/>
    public Task<TwoFactorChallenge?> FindActiveAsync(string userId, CancellationToken cancellationToken) => Of(userId).FindActiveAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> CancelAsync(string userId, TokenId id, CancellationToken cancellationToken) => Of(userId).CancelAsync(userId, id, cancellationToken);

    /// <inheritdoc/>
    public Task<int> CancelAllAsync(string userId, CancellationToken cancellationToken) => Of(userId).CancelAllAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> ForgiveAsync(string userId, CancellationToken cancellationToken) => Of(userId).ForgiveAsync(userId, cancellationToken);

    private ITwoFactorStore Of(string userId) => Usable(UserReference.Of(userId));

    // What is no token at all either store refuses, without asking anybody.
    private ITwoFactorStore Named(string? token) => SecretToken.TryParse(token, out var parsed) ? Usable(parsed.User) : memory;

    private ITwoFactorStore Usable(UserReference user) => mode.RouteOf(user) switch
    {
        StorageRoute.Memory => memory,
        StorageRoute.Redis when pending.EndsAll(user) => throw RedisBreaker.Away(),
        _ => redis.Value,
    };
}
