namespace Maintenance.Storage.RateLimiting;

/// <summary>Several limits at once.</summary>
public static class RateLimitStoreExtensions
{
    /// <summary>
    /// Takes from each limit in order, for example the user's and the address's; when one denies, what the earlier ones gave is refunded. One
    /// script a limit, because two subjects need not share a cluster slot. Put the limit that denies most often first.
    /// </summary>
    /// <returns>The answer of the limit that denied; of the one with the least left when all allowed.</returns>
    /// <exception cref="ArgumentException">No request, or one that is wrong; earlier ones are refunded.</exception>
    /// <exception cref="Redis.StorageUnavailableException">One limit could not be asked; earlier ones are refunded if they can be.</exception>
    public static async Task<RateLimitResult> AcquireAllAsync(
        this IRateLimitStore store, IReadOnlyList<RateLimitRequest> requests, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(requests);
        if (requests.Count == 0)
        {
            throw new ArgumentException("No limit was named.", nameof(requests));
        }

        var charged = new List<RateLimitResult>(requests.Count);
        var allowed = false;
        try
        {
            foreach (var request in requests)
            {
                var result = await store.AcquireAsync(request, cancellationToken).ConfigureAwait(false);
                if (!result.IsAllowed)
                {
                    return result;
                }

                charged.Add(result);
            }

            allowed = true;
            return charged.MinBy(result => result.Remaining)!;
        }
        finally
        {
            if (!allowed)
            {
                await RefundAsync(store, requests, charged).ConfigureAwait(false);
            }
        }
    }

    private static async Task RefundAsync(IRateLimitStore store, IReadOnlyList<RateLimitRequest> requests, List<RateLimitResult> charged)
    {
        for (var i = charged.Count - 1; i >= 0; i--)
        {
            try
            {
                // Not the caller's token: a caller who leaves has been charged all the same. The store's deadline bounds it.
                await store.RefundAsync(requests[i], charged[i], CancellationToken.None).ConfigureAwait(false);
            }
            catch (Redis.StorageUnavailableException)
            {
                // The charge stays, which errs on the side of the limit and fades by itself. The decorator has counted the error.
            }
        }
    }
}
