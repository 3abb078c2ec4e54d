using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Maintenance.Pages;

/// <summary>The small forms of the pages.</summary>
public static class PageForm
{
    /// <summary>Name of the field that only our own page can fill.</summary>
    public const string TokenField = "form";

    private const long MostBytes = 8 * 1024;

    /// <summary>Reads it; null if the request carries none that can be read.</summary>
    public static async Task<IFormCollection?> ReadAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = MostBytes;
        }

        if (!context.Request.HasFormContentType)
        {
            return null;
        }

        try
        {
            return await context.Request.ReadFormAsync(context.RequestAborted);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
