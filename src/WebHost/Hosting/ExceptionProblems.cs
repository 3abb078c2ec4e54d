using System.Text.Json;
using Maintenance.Storage.Redis;
using Maintenance.WebHost.Admin.Pages;
using Maintenance.WebHost.Database;
using Maintenance.WebHost.Passwords;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using StackExchange.Redis;

namespace Maintenance.WebHost.Hosting;

/// <summary>Turns what endpoints throw into problem details. No text of an exception reaches a client, but that of a body that cannot be read.</summary>
internal sealed class ExceptionProblems(ILogger<ExceptionProblems> logger) : IExceptionHandler
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is OperationCanceledException && httpContext.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to read an answer.
            httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }

        var details = Describe(exception);
        if (details.Status == StatusCodes.Status503ServiceUnavailable)
        {
            // Escaped as it was sent: a line break of the client's shall not begin a line of the log.
            logger.RequestUnavailable(httpContext.Request.Path.ToUriComponent(), exception.GetType().Name, exception.Message);
        }
        else if (details.Status >= StatusCodes.Status500InternalServerError)
        {
            logger.RequestFailed(exception, httpContext.Request.Method, httpContext.GetEndpoint()?.DisplayName ?? "no endpoint");
        }

        // The middleware has cleared the headers.
        SecurityHeaders.Apply(httpContext);
        if (details.Status == StatusCodes.Status503ServiceUnavailable)
        {
            httpContext.Response.Headers.RetryAfter = Problems.Seconds(RetryAfter);
        }

        await (AdminPageProblems.Serves(httpContext.Features.Get<IExceptionHandlerFeature>()?.Endpoint)
            ? AdminPageProblems.SendAsync(httpContext, details)
            : Problems.Send(httpContext, details));
        return true;
    }

    internal static ProblemDetails Describe(Exception exception)
    {
        var (status, code, detail) = exception switch
        {
            BadHttpRequestException bad => (bad.StatusCode, bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? "too_large" : "invalid_request", Reason(bad)),
            StorageUnavailableException or RedisServerException => (503, "storage_unavailable", "The session store does not answer. Nothing was decided; try again."),
            HashingSaturatedException => (503, "saturated", "This host has more log-ins under way than it takes on. Try again."),
            _ when DatabaseErrors.IsUnavailable(exception) => (503, "database_unavailable", "The user database does not answer. Try again."),
            _ => (500, "internal_error", "Something went wrong here. It has been logged."),
        };
        var details = new ProblemDetails { Status = status, Detail = detail };
        Problems.Name(details, code);
        return details;
    }

    private static string Reason(BadHttpRequestException bad) => bad switch
    {
        { StatusCode: StatusCodes.Status413PayloadTooLarge } => "The body is larger than this endpoint takes.",
        { StatusCode: StatusCodes.Status415UnsupportedMediaType } => "The body must be JSON with Content-Type: application/json.",
        { StatusCode: StatusCodes.Status408RequestTimeout } => "The body did not arrive in time.",
        { InnerException: JsonException { Path: { Length: > 0 } path } json } => Where(json, path),
        { InnerException: JsonException json } => Where(json, "$"),
        _ => "The request could not be read: a body, a route value or a query value is missing or of the wrong type.",
    };

    // The exception's own text may quote the body.
    private static string Where(JsonException json, string path) =>
        $"The body could not be read as JSON for this request, at {Plain(path)} (line {json.LineNumber + 1}, byte {json.BytePositionInLine + 1}).";

    private static string Plain(string path) => path.Length > 64 || path.Any(char.IsControl) ? "$" : path;
}
