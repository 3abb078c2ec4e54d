using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Maintenance.WebHost.Hosting;

/// <summary>Answers that say what went wrong, as RFC 9457 has them. <c>code</c> is for programs; the texts are for people and may change.</summary>
internal static class Problems
{
    private const string TypePrefix = "urn:maintenance:problem:";

    public static ProblemHttpResult Of(int status, string code, string detail, IDictionary<string, object?>? more = null)
    {
        var details = new ProblemDetails { Status = status, Detail = detail };
        Name(details, code);
        foreach (var (name, value) in more ?? new Dictionary<string, object?>(StringComparer.Ordinal))
        {
            details.Extensions[name] = value;
        }

        return TypedResults.Problem(details);
    }

    /// <summary>Fields of the request that cannot be accepted.</summary>
    public static ProblemHttpResult Invalid(IDictionary<string, string[]> errors)
    {
        var details = new HttpValidationProblemDetails(errors)
        {
            Status = StatusCodes.Status400BadRequest,
            Title = "Some fields cannot be accepted.",
        };
        Name(details, "invalid_request");
        return TypedResults.Problem(details);
    }

    public static ProblemHttpResult Invalid(string field, params string[] reasons) =>
        Invalid(new Dictionary<string, string[]>(StringComparer.Ordinal) { [field] = reasons });

    /// <summary>One text for every reason why a log-in fails, so that it tells nothing of accounts.</summary>
    public static ProblemHttpResult InvalidCredentials() =>
        Of(StatusCodes.Status401Unauthorized, "invalid_credentials", "The e-mail address or the password is wrong.");

    public static ProblemHttpResult InvalidToken(string detail) => Of(StatusCodes.Status400BadRequest, "invalid_token", detail);

    public static ProblemHttpResult Unauthorized() => Of(StatusCodes.Status401Unauthorized, "unauthorized", "A valid session is needed.");

    public static ProblemHttpResult NotFound(string detail) => Of(StatusCodes.Status404NotFound, "not_found", detail);

    public static ProblemHttpResult Unavailable(HttpResponse response, string detail, TimeSpan retryAfter, string code = "unavailable")
    {
        response.Headers.RetryAfter = Seconds(retryAfter);
        return Of(StatusCodes.Status503ServiceUnavailable, code, detail);
    }

    /// <summary>Writes a problem, whatever the client says that it accepts.</summary>
    public static Task Send(HttpContext context, ProblemDetails details)
    {
        Name(details);
        return TypedResults.Problem(details).ExecuteAsync(context);
    }

    /// <summary>Whole seconds, rounded up, at least one.</summary>
    public static string Seconds(TimeSpan span) => Math.Max(1, (long)Math.Ceiling(span.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Gives a problem a code by its status when nobody has given it one.</summary>
    public static void Name(ProblemDetails details, string? code = null)
    {
        if (!details.Extensions.ContainsKey("code"))
        {
            code ??= details.Status switch
            {
                StatusCodes.Status400BadRequest => "invalid_request",
                StatusCodes.Status401Unauthorized => "unauthorized",
                StatusCodes.Status403Forbidden => "forbidden",
                StatusCodes.Status404NotFound => "not_found",
                StatusCodes.Status405MethodNotAllowed => "method_not_allowed",
                StatusCodes.Status413PayloadTooLarge => "too_large",
                StatusCodes.Status415UnsupportedMediaType => "unsupported_media_type",
                StatusCodes.Status429TooManyRequests => "rate_limited",
                StatusCodes.Status503ServiceUnavailable => "unavailable",
                >= 500 => "internal_error",
                _ => "error",
            };
            details.Extensions["code"] = code;
            details.Type = TypePrefix + code;
        }
    }
}
