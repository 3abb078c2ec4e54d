using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.OneTimeTokens;

/// <summary>
/// Tokens that work once: password reset, e-mail verification, magic link. All end with the user's generation.
/// Every method throws <see cref="StorageUnavailableException"/> when the store does not answer within the deadline; a caller without an answer denies.
/// </summary>
public interface IOneTimeTokenStore
{
    /// <summary>Issues a token; with more than <see cref="OneTimeTokenOptions.MaxActivePerUser"/> of a purpose the oldest leaves.</summary>
    /// <param name="purpose">What it is for; decides its life.</param>
    /// <param name="userId">Whose it is; 1 to 256 bytes of UTF-8.</param>
    /// <param name="data">Given back at redemption; at most <see cref="OneTimeToken.MaxDataBytes"/> of UTF-8. Never a secret.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">A field is out of its bounds; nothing was stored.</exception>
    Task<IssuedOneTimeToken> IssueAsync(OneTimePurpose purpose, string userId, string? data, CancellationToken cancellationToken);

    /// <summary>Uses a token up: of any number of callers exactly one is accepted.</summary>
    /// <param name="purpose">What it must have been issued for.</param>
    /// <param name="token">What the client sent; anything, null included.</param>
    /// <param name="cancellationToken">Ends the wait. The token may be used up all the same.</param>
    Task<OneTimeRedemption> RedeemAsync(OneTimePurpose purpose, string? token, CancellationToken cancellationToken);

    /// <summary>Whether a token would be accepted, for the page before the form. Promises nothing about the redemption.</summary>
    Task<OneTimeRedemption> PeekAsync(OneTimePurpose purpose, string? token, CancellationToken cancellationToken);

    /// <summary>How many tokens of a purpose a user could redeem now.</summary>
    Task<int> CountActiveAsync(OneTimePurpose purpose, string userId, CancellationToken cancellationToken);

    /// <summary>Ends all of a user's tokens of a purpose, also those that the index has lost.</summary>
    /// <returns>Records deleted.</returns>
    Task<Revocation> InvalidateAllAsync(OneTimePurpose purpose, string userId, CancellationToken cancellationToken);
}

/// <summary>What follows from the store's methods.</summary>
public static class OneTimeTokenStoreExtensions
{
    /// <summary>Whether a user has a token of a purpose that could be redeemed now.</summary>
    public static async Task<bool> IsActiveAsync(
        this IOneTimeTokenStore store, OneTimePurpose purpose, string userId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        return await store.CountActiveAsync(purpose, userId, cancellationToken).ConfigureAwait(false) > 0;
    }

    /// <summary>Ends all of a user's tokens of every purpose.</summary>
    /// <returns>Records deleted.</returns>
    public static async Task<Revocation> InvalidateAllAsync(this IOneTimeTokenStore store, string userId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        var ended = Revocation.Nothing;
        foreach (var purpose in OneTimePurposes.All)
        {
            var one = await store.InvalidateAllAsync(purpose, userId, cancellationToken).ConfigureAwait(false);
            ended = (ended with { Ended = ended.Ended + one.Ended }).With(one.Outcome);
        }

        return ended;
    }
}
