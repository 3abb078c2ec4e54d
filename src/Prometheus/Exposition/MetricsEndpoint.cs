using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Maintenance.Prometheus.Exposition;

/// <summary>Answers one scrape.</summary>
internal static class MetricsEndpoint
{
    public static async Task AnswerAsync(HttpContext context, Scraper scraper)
    {
        var format = ContentNegotiation.Format(context.Request.Headers.Accept);
        var body = await scraper.ScrapeAsync(format, context.RequestAborted);

        var response = context.Response;
        response.ContentType = format == ExpositionFormat.OpenMetrics ? ContentNegotiation.OpenMetricsType : ContentNegotiation.TextType;
        response.Headers.CacheControl = "no-store";
        response.Headers.Vary = "Accept, Accept-Encoding";
        if (!ContentNegotiation.AcceptsGzip(context.Request.Headers.AcceptEncoding))
        {
            response.ContentLength = body.Length;
            await response.Body.WriteAsync(body, context.RequestAborted);
            return;
        }

        response.Headers.ContentEncoding = "gzip";
        await using var gzip = new GZipStream(response.Body, CompressionLevel.Fastest);
        await gzip.WriteAsync(body, context.RequestAborted);
    }
}
