using Maintenance.Storage.Redis;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Mvc;
using StackExchange.Redis;

namespace Maintenance.WebHost.Admin.Pages;

/// <summary>Marks an endpoint whose answers people read in a browser.</summary>
internal sealed record AdminPageMetadata
{
    public static AdminPageMetadata Instance { get; } = new();
}

/// <summary>What is a JSON problem for a program, as a page.</summary>
internal static class AdminPageProblems
{
    public static bool Serves(Endpoint? endpoint) => endpoint?.Metadata.GetMetadata<AdminPageMetadata>() is not null;

    public static Task SendAsync(HttpContext context, ProblemDetails problem) => Page(context, problem.Status ?? StatusCodes.Status500InternalServerError, problem.Detail).ExecuteAsync(context);

    /// <summary>The page of a store or database that does not answer.</summary>
    public static IResult Unavailable(HttpContext context)
    {
        context.Response.Headers.RetryAfter = "1";
        return Page(context, StatusCodes.Status503ServiceUnavailable, "The store or the database does not answer. Nothing was decided; try again.");
    }

    /// <summary>Whether nobody is signed in only because the store could not be asked.</summary>
    public static async Task<bool> IsUncheckedAsync(HttpContext context) =>
        (await context.AuthenticateAsync()).Failure?.InnerException is StorageUnavailableException or RedisServerException;

    private static IResult Page(HttpContext context, int status, string? text) => AdminPageEndpoints.Page<MessagePage>(
        context,
        status,
        ("Title", status switch
        {
            StatusCodes.Status503ServiceUnavailable => "No answer",
            StatusCodes.Status429TooManyRequests => "Too many requests",
            < 500 => "Not accepted",
            _ => "Something went wrong",
        }),
        ("Text", text ?? "Try again."),
        ("Again", true));
}
