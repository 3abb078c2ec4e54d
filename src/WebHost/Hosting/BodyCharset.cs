using Microsoft.Net.Http.Headers;

namespace Maintenance.WebHost.Hosting;

/// <summary>Refuses a body in an encoding that is not read here. JSON's reader would fail on its name, and that would be our error instead of the client's.</summary>
internal static class BodyCharset
{
    public static IApplicationBuilder UseBodyCharset(this IApplicationBuilder app) => app.Use((context, next) =>
        IsRead(context.Request.ContentType)
            ? next(context)
            : Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type", "The body must be in UTF-8.").ExecuteAsync(context));

    internal static bool IsRead(string? contentType) =>
        string.IsNullOrEmpty(contentType)
        || !MediaTypeHeaderValue.TryParse(contentType, out var type)
        || !type.Charset.HasValue
        || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase);
}
