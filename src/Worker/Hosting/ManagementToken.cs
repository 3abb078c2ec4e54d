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
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && Matches(header[Scheme.Length..].Trim());
    }

    /// <summary>Whether this is the token.</summary>
    public bool Matches(string given)
    {
        var expected = options.CurrentValue.Token;
        return !string.IsNullOrEmpty(expected) && CryptographicOperations.FixedTimeEquals(Hash(given), Hash(expected));
    }

    /// <summary>A key for one purpose that only who has the token can make: the same on every replica, another one after the token was changed.</summary>
    /// <returns>32 bytes; null without a token.</returns>
    public byte[]? Key(string purpose) => options.CurrentValue.Token is { Length: > 0 } token
        ? HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(token), outputLength: 32, salt: null, info: Encoding.UTF8.GetBytes(purpose))
        : null;

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
