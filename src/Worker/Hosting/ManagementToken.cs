using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Hosting;

/// <summary>Checks the bearer token of the management endpoints.</summary>
internal sealed class ManagementToken(IOptionsMonitor<ManagementOptions> options)
{
    private const string Scheme = "Bearer ";

    /// <summary>Whether a token is configured at all.</summary>
    public bool IsConfigured => !string.IsNullOrEmpty(options.CurrentValue.Token);

    /// <summary>Whether everything but probes and metrics needs it.</summary>
    public bool IsRequiredEverywhere => options.CurrentValue.RequireToken;

    /// <summary>Whether the request carries it. Hashes are compared, so that neither content nor length shows in the time it takes.</summary>
    public bool Matches(HttpRequest request)
    {
        var expected = options.CurrentValue.Token;
        var header = request.Headers.Authorization.ToString();
        return !string.IsNullOrEmpty(expected)
            && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Hash(header[Scheme.Length..].Trim()), Hash(expected));
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}

/// <summary>Lets a request pass to what changes something only with the token; without a configured token such an endpoint is off.</summary>
internal sealed class TokenFilter(ManagementToken token) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (!token.IsConfigured)
        {
            return TypedResults.Json(
                new ProblemText("This endpoint is off, because no token is configured. Set Management:Token (environment: Management__Token) to turn it on."),
                statusCode: StatusCodes.Status403Forbidden);
        }

        return token.Matches(context.HttpContext.Request) ? await next(context) : Unauthorized(context.HttpContext);
    }

    internal static IResult Unauthorized(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return TypedResults.Json(
            new ProblemText("A bearer token is needed: 'Authorization: Bearer <Management:Token>'."), statusCode: StatusCodes.Status401Unauthorized);
    }
}

/// <summary>An answer that says what is wrong.</summary>
internal sealed record ProblemText(string Error);
