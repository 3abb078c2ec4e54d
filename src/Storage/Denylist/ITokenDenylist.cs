using Maintenance.Storage.Outage;

namespace Maintenance.Storage.Denylist;

/// <summary>Tokens that must not be accepted although they are signed and not expired: logged out, stolen, replaced.</summary>
public interface ITokenDenylist
{
    /// <summary>
    /// Denies a token until it would have expired, and <see cref="DenylistOptions.ClockSkew"/> longer. A denial is never shortened: the longer of two stays.
    /// </summary>
    /// <param name="id">Which token.</param>
    /// <param name="expiresAt">The token's own expiry (claim <c>exp</c>); null when it is not known: <see cref="DenylistOptions.DefaultLife"/> from now.</param>
    /// <param name="reason">Why, for whoever looks later; no secret. Cut to <see cref="DenylistEntry.MaxReasonBytes"/> bytes of UTF-8.</param>
    /// <param name="cancellationToken">Ends the wait; the denial may still take effect.</param>
    /// <returns>Whether the token is denied now. False: it expired already, and nothing was kept.</returns>
    /// <exception cref="ArgumentException">The default id, or an expiry further away than <see cref="DenylistOptions.LongestLife"/>. Nothing was kept.</exception>
    /// <exception cref="Redis.StorageUnavailableException">Nobody can say whether it is denied; a caller must not answer that it is.</exception>
    Task<Revocation> DenyAsync(DenylistId id, DateTimeOffset? expiresAt, string? reason, CancellationToken cancellationToken);

    /// <summary>Whether a token is denied. Whatever stands under its key denies, readable or not.</summary>
    /// <exception cref="Redis.StorageUnavailableException">Not known: deny.</exception>
    Task<bool> IsDeniedAsync(DenylistId id, CancellationToken cancellationToken);

    /// <summary>Asks about many tokens in one flush (one a thousand).</summary>
    /// <returns>One answer an id, in order.</returns>
    /// <exception cref="Redis.StorageUnavailableException">Not known: deny.</exception>
    Task<IReadOnlyList<bool>> AreDeniedAsync(IReadOnlyList<DenylistId> ids, CancellationToken cancellationToken);

    /// <summary>What is known of a denial; null when the token is not denied.</summary>
    /// <exception cref="Redis.StorageUnavailableException">Not known: deny.</exception>
    Task<DenylistEntry?> FindAsync(DenylistId id, CancellationToken cancellationToken);
}

/// <summary>A denial. All members are null when the token is denied by a record that this program cannot read.</summary>
/// <param name="DeniedAt">When it was denied.</param>
/// <param name="Until">When the denial ends.</param>
/// <param name="Reason">Why, if a reason was given.</param>
public sealed record DenylistEntry(DateTimeOffset? DeniedAt, DateTimeOffset? Until, string? Reason)
{
    /// <summary>Longest reason kept, in bytes of UTF-8.</summary>
    public const int MaxReasonBytes = 200;
}
