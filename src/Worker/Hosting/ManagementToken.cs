using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Hosting;

/// <summary>Checks the bearer token of the management endpoints.</summary>
internal sealed class ManagementToken(IOptionsMonitor<ManagementOptions> options, TokenGuesses guesses)
{
    private const string Scheme = "Bearer ";

    /// <summary>Whether a token is configured at all.</summary>
    public bool IsConfigured => !string.IsNullOrEmpty(options.CurrentValue.Token);

    /// <summary>Whether everything but probes and metrics needs it.</summary>
    public bool IsRequiredEverywhere => options.CurrentValue.RequireToken;

    /// <summary>Whether the request carries it as its bearer.</summary>
    public TokenAnswer Check(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? Check(context, header[Scheme.Length..].Trim()) : TokenAnswer.Wrong;
    }

    /// <summary>
    /// Whether this is the token. Hashes are compared, so that neither content nor length shows in the time it takes, and whoever has given too many
    /// wrong ones gets no answer.
    /// </summary>
    public TokenAnswer Check(HttpContext context, string given)
    {
        var address = context.Connection.RemoteIpAddress;
        if (!guesses.Allows(address))
        {
            return TokenAnswer.TooMany;
        }

        var expected = options.CurrentValue.Token;
        if (!string.IsNullOrEmpty(expected) && CryptographicOperations.FixedTimeEquals(Hash(given), Hash(expected)))
        {
            return TokenAnswer.Right;
        }

        guesses.Wrong(address);
        return TokenAnswer.Wrong;
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

        var answer = token.Check(context.HttpContext);
        return answer == TokenAnswer.Right ? await next(context) : Refuse(context.HttpContext, answer);
    }

    internal static IResult Refuse(HttpContext context, TokenAnswer answer)
    {
        if (answer == TokenAnswer.TooMany)
        {
            SayWhen(context.Response);
            return TypedResults.Json(
                new ProblemText("Too many wrong tokens came from this address. Try again in a minute."), statusCode: StatusCodes.Status429TooManyRequests);
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        return TypedResults.Json(
            new ProblemText("A bearer token is needed: 'Authorization: Bearer <Management:Token>'."), statusCode: StatusCodes.Status401Unauthorized);
    }

    /// <summary>Tells when a token is looked at again.</summary>
    internal static void SayWhen(HttpResponse response) => response.Headers.RetryAfter = $"{TokenGuesses.Window.TotalSeconds:0}";
}

/// <summary>What was said to a token.</summary>
public enum TokenAnswer
{
    /// <summary>It is the token.</summary>
    Right,

    /// <summary>It is not, or none came.</summary>
    Wrong,

    /// <summary>It was not looked at, because too many wrong ones came from that address.</summary>
    TooMany,
}

/// <summary>An answer that says what is wrong.</summary>
internal sealed record ProblemText(string Error);
