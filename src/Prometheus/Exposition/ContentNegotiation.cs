using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Maintenance.Prometheus.Exposition;

/// <summary>Which format and encoding a scrape asks for. Nothing is refused: who accepts neither format gets text 0.0.4, as from other exporters.</summary>
internal static class ContentNegotiation
{
    public const string TextType = "text/plain; version=0.0.4; charset=utf-8";
    public const string OpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// <summary>OpenMetrics if it is named (in version 1.0.0 or none) with at least the quality of text, a wildcard counting as text.</summary>
    public static ExpositionFormat Format(StringValues accept)
    {
        if (!MediaTypeHeaderValue.TryParseList([.. accept.OfType<string>()], out var types)) return ExpositionFormat.Text;
        double openMetrics = 0, text = 0;
        foreach (var type in types)
        {
            var quality = type.Quality ?? 1;
            if (IsOpenMetrics(type)) openMetrics = Math.Max(openMetrics, quality);
            else if (IsText(type)) text = Math.Max(text, quality);
        }

        return openMetrics > 0 && openMetrics >= text ? ExpositionFormat.OpenMetrics : ExpositionFormat.Text;
    }

    public static bool AcceptsGzip(StringValues acceptEncoding) =>
        StringWithQualityHeaderValue.TryParseList([.. acceptEncoding.OfType<string>()], out var encodings)
        && encodings.Any(e => e.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase) && (e.Quality ?? 1) > 0);

    private static bool IsOpenMetrics(MediaTypeHeaderValue type) =>
        type.MediaType.Equals("application/openmetrics-text", StringComparison.OrdinalIgnoreCase) && Version(type) is "" or "1.0.0";

    private static bool IsText(MediaTypeHeaderValue type) =>
        type.MatchesAllTypes
        || (type.Type.Equals("text", StringComparison.OrdinalIgnoreCase)
            && (type.MatchesAllSubTypes || type.SubType.Equals("plain", StringComparison.OrdinalIgnoreCase))
            && Version(type) is "" or "0.0.4");

    private static string Version(MediaTypeHeaderValue type) =>
        HeaderUtilities.RemoveQuotes(
            type.Parameters.FirstOrDefault(p => p.Name.Equals("version", StringComparison.OrdinalIgnoreCase))?.Value ?? "").ToString();
}
