using System.Text.Json;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;
using StackExchange.Redis;

namespace Maintenance.WebHost.SignIn;

/// <summary>
/// Says whose session a token is. Made for gateways: nginx's <c>auth_request</c> passes the headers on. Every request of a site comes through here, so it
/// asks the store itself and makes no principal that nobody reads.
/// </summary>
internal static class VerifyEndpoint
{
    public const string UserHeader = "X-Auth-User-Id";
    public const string SessionHeader = "X-Auth-Session-Id";
    public const string RolesHeader = "X-Auth-Roles";

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly JsonEncodedText Valid = JsonEncodedText.Encode("valid");
    private static readonly JsonEncodedText UserId = JsonEncodedText.Encode("userId");
    private static readonly JsonEncodedText SessionId = JsonEncodedText.Encode("sessionId");
    private static readonly JsonEncodedText RolesName = JsonEncodedText.Encode("roles");

    public static IEndpointRouteBuilder MapVerify(this IEndpointRouteBuilder auth)
    {
        auth.MapMethods("verify", [HttpMethods.Get, HttpMethods.Head, HttpMethods.Post], AnswerAsync)
            .IgnoresCookie()
            .WithMetadata(OwnAuthenticationMetadata.Instance)
            .RequireRateLimiting(Limits.Verify)
            .Produces<Verified>()
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable)
            .WithSummary("200 with the user and the session in headers, or 401.");
        return auth;
    }

    // A handler that writes the answer itself; the return type keeps it from being taken for a plain delegate, which would be left out of the document.
    private static async Task<IResult> AnswerAsync(HttpContext context, ISessionStore sessions)
    {
        var token = context.Request.SessionToken();
        SessionValidation validation;
        try
        {
            // Without the request's token: the read goes out with those of other requests, and Redis's own deadline ends it.
            validation = token is null ? default : await sessions.ValidateAsync(token, CancellationToken.None);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or RedisServerException)
        {
            return Problems.Unavailable(context.Response, "The session could not be checked. Try again.", RetryAfter, "storage_unavailable");
        }

        if (validation.Session is not { } session)
        {
            // RFC 6750, 3.1: no error code when no token was sent.
            context.Response.Headers.WWWAuthenticate = token is null ? "Bearer" : "Bearer error=\"invalid_token\"";
            return Problems.Unauthorized();
        }

        Write(context.Response, session);
        return TypedResults.Empty;
    }

    private static void Write(HttpResponse response, Session session)
    {
        var roles = SessionIssuer.RolesOf(session.Claims);
        response.Headers[UserHeader] = session.UserId;
        response.Headers[SessionHeader] = session.Id.Value;
        response.Headers[RolesHeader] = string.Join(',', roles);
        response.ContentType = "application/json; charset=utf-8";
        using var json = new Utf8JsonWriter(response.BodyWriter);
        json.WriteStartObject();
        json.WriteBoolean(Valid, value: true);
        json.WriteString(UserId, session.UserId);
        json.WriteString(SessionId, session.Id.Value);
        json.WriteStartArray(RolesName);
        foreach (var role in roles)
        {
            json.WriteStringValue(role);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        response.ContentLength = json.BytesCommitted;
    }
}

/// <summary>Marks an endpoint that asks the session store itself, so that the request is not authenticated a second time.</summary>
internal sealed class OwnAuthenticationMetadata
{
    public static readonly OwnAuthenticationMetadata Instance = new();
}

/// <summary>A valid session.</summary>
internal sealed record Verified(bool Valid, string UserId, string SessionId, IReadOnlyList<string> Roles);
