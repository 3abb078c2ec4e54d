using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Maintenance.Storage.AspNetCore;

/// <summary>The answer while the store does not answer: not 401, because the client's session may be good.</summary>
internal static class UnavailableResponse
{
    public static void Write(HttpResponse response, TimeSpan retryAfter)
    {
        response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        response.Headers.RetryAfter = ((long)Math.Ceiling(retryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        response.Headers.CacheControl = "no-store";
    }
}
