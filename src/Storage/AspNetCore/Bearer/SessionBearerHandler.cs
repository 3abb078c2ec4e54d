using System.Security.Claims;
using System.Text.Encodings.Web;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.AspNetCore.Bearer;

/// <summary>
/// Authenticates a request by its opaque session token. The store decides; the client learns only that a token is not valid, not why. A store that
/// does not answer denies: a protected endpoint answers 503 with <c>Retry-After</c>, an open one sees an anonymous request and, in the result's failure,
/// the store's exception.
/// </summary>
public sealed class SessionBearerHandler(
    IOptionsMonitor<SessionBearerOptions> options, ILoggerFactory logger, UrlEncoder encoder, ISessionStore sessions)
    : AuthenticationHandler<SessionBearerOptions>(options, logger, encoder)
{
    private const string Prefix = "Bearer ";

    private bool unavailable;
    private bool denied;

    /// <inheritdoc/>
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (ReadToken() is not { } token)
        {
            return AuthenticateResult.NoResult();
        }

        SessionValidation validation;
        try
        {
            validation = await sessions.ValidateAsync(token, Context.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or RedisServerException)
        {
            unavailable = true;
            Logger.SessionNotChecked(Scheme.Name, exception.Message);
            return AuthenticateResult.Fail(new AuthenticationFailureException("The session could not be checked.", exception));
        }

        if (validation.Session is not { } session)
        {
            denied = true;
            Logger.SessionDenied(Scheme.Name, validation.Denial);
            return AuthenticateResult.Fail("The session token is not valid.");
        }

        var properties = new AuthenticationProperties { IssuedUtc = session.CreatedAt, ExpiresUtc = session.ExpiresAt };
        return AuthenticateResult.Success(new AuthenticationTicket(Principal(session), properties, Scheme.Name));
    }

    /// <inheritdoc/>
    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // Once a request; later calls get the same answer.
        await HandleAuthenticateOnceSafeAsync().ConfigureAwait(false);
        if (unavailable)
        {
            UnavailableResponse.Write(Response, Options.RetryAfter);
            return;
        }

        Response.StatusCode = StatusCodes.Status401Unauthorized;
        // RFC 6750, 3.1: no error code when no token was sent.
        Response.Headers.Append("WWW-Authenticate", denied ? "Bearer error=\"invalid_token\"" : "Bearer");
    }

    private string? ReadToken()
    {
        var header = Request.Headers.Authorization;
        if (header.Count == 1 && header[0] is { } value && value.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            return value[Prefix.Length..].Trim();
        }

        return Options.CookieName is { } name && Request.Cookies.TryGetValue(name, out var cookie) && cookie.Length > 0 ? cookie : null;
    }

    private ClaimsPrincipal Principal(Session session)
    {
        var identity = new ClaimsIdentity(Scheme.Name);
        identity.AddClaim(new Claim(Options.UserIdClaimType, session.UserId, ClaimValueTypes.String, ClaimsIssuer));
        identity.AddClaim(new Claim(Options.SessionIdClaimType, session.Id.Value, ClaimValueTypes.String, ClaimsIssuer));
        foreach (var (type, value) in StoredClaims.Read(session.Claims))
        {
            // Who it is and by which session, only the store says.
            if (type != Options.UserIdClaimType && type != Options.SessionIdClaimType)
            {
                identity.AddClaim(new Claim(type, value, ClaimValueTypes.String, ClaimsIssuer));
            }
        }

        return new ClaimsPrincipal(identity);
    }
}
