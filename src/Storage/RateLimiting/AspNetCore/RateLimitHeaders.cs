using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;

namespace Maintenance.Storage.RateLimiting.AspNetCore;

/// <summary>
/// Says in headers what a limit said: <c>X-RateLimit-Limit</c>, <c>X-RateLimit-Remaining</c>, <c>X-RateLimit-Reset</c> (seconds until rested), the
/// same as <c>RateLimit-Limit</c>, <c>RateLimit-Remaining</c> and <c>RateLimit-Reset</c>, and, when denied, <c>Retry-After</c>. Seconds are rounded up.
/// </summary>
public static class RateLimitHeaders
{
    /// <summary>Writes the headers of a decision.</summary>
    public static void Write(HttpResponse response, RateLimitResult result)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(result);
        foreach (var prefix in (string[])["X-RateLimit-", "RateLimit-"])
        {
            response.Headers[$"{prefix}Limit"] = result.Limit.ToString(CultureInfo.InvariantCulture);
            response.Headers[$"{prefix}Remaining"] = result.Remaining.ToString(CultureInfo.InvariantCulture);
            response.Headers[$"{prefix}Reset"] = Seconds(result.ResetAfter);
        }

        if (result.RetryAfter is { } retryAfter)
        {
            response.Headers.RetryAfter = Seconds(retryAfter);
        }
    }

    /// <summary>Writes what a lease knows; for <c>RateLimiterOptions.OnRejected</c>.</summary>
    public static void Write(HttpResponse response, RateLimitLease lease)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(lease);
        if (lease.TryGetMetadata(StoreRateLimitLease.Result, out var result) && result is not null)
        {
            Write(response, result);
        }
        else if (lease.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter))
        {
            response.Headers.RetryAfter = Seconds(retryAfter);
        }
    }

    private static string Seconds(TimeSpan span) => ((long)Math.Ceiling(span.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
}
