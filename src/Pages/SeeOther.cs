using Microsoft.AspNetCore.Http;

namespace Maintenance.Pages;

/// <summary>The answer to a form: 303, so that a reload shows a page and sends nothing twice.</summary>
/// <param name="location">Where to; our own, never a client's.</param>
public sealed class SeeOther(string location) : IResult
{
    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        PageHeaders.Set(httpContext.Response);
        httpContext.Response.Headers.Location = location;
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        return Task.CompletedTask;
    }
}
