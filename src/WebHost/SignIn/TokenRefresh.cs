using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Database;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Maintenance.WebHost.SignIn;

/// <summary>Exchanges a refresh token for the next one and for a session token. The session of before ends, or lives on under its new token when the client sent the old one too.</summary>
internal sealed class TokenRefresh(
    IRefreshTokenStore families,
    ISessionStore sessions,
    UserManager<User> users,
    AuthDbContext database,
    SessionIssuer issuer,
    IAuditTrail audit,
    TimeProvider clock)
{
    public async Task<IResult> RefreshAsync(RefreshRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        // An exchange that the database then fails uses the token up: sent again after the grace it would be taken for stolen. So the database is asked first.
        if (RefreshToken.TryParse(request.RefreshToken, out _))
        {
            await database.Users.AsNoTracking().Select(user => user.Id).FirstOrDefaultAsync(cancellationToken);
        }

        var rotation = await families.RotateAsync(request.RefreshToken, cancellationToken);
        if (rotation is not { Token: { } token, Family: { } family })
        {
            audit.Record(context, rotation.Outcome == RefreshOutcome.Reused
                ? new AuditEvent { Action = AuditActions.RefreshReused, Succeeded = false, UserId = rotation.Family?.UserId, Detail = "used before; its family has been ended" }
                // Whose the token says that it is proves nothing.
                : new AuditEvent { Action = AuditActions.Refreshed, Succeeded = false, Detail = Reason(rotation.Denial) });
            return Denied();
        }

        var user = await users.FindByIdAsync(family.UserId);
        if (user is not { DisabledAt: null })
        {
            // Whether the family's end then succeeds or not, the refresh was refused.
            audit.Record(context, new AuditEvent
            {
                Action = AuditActions.Refreshed,
                Succeeded = false,
                UserId = family.UserId,
                Detail = user is null ? "there is no such account" : "account_disabled",
            });
            await families.RevokeAsync(family.UserId, family.Id, cancellationToken);
            return Denied();
        }

        var issued = await RotateAsync(context, family, user, cancellationToken) ?? await ReplaceAsync(context, family, user, cancellationToken);
        audit.Record(context, new AuditEvent
        {
            Action = AuditActions.Refreshed,
            Succeeded = issued is not null,
            UserId = user.Key,
            SessionId = issued?.Session.Id.Value,
        });
        return issued is null ? Denied() : TypedResults.Ok(issuer.Answer(context, user, issued, token));
    }

    private static string Reason(TokenDenial denial) => denial switch
    {
        TokenDenial.Malformed => "not a refresh token",
        TokenDenial.Unreadable => "the record cannot be read",
        _ => "unknown, ended or expired",
    };

    private static ProblemHttpResult Denied() => Problems.Of(StatusCodes.Status401Unauthorized, "invalid_token", "The refresh token is not valid. Sign in again.");

    /// <summary>The client still has the session's token: the session gets a new one, and its families follow.</summary>
    private async Task<IssuedSession?> RotateAsync(HttpContext context, RefreshFamily family, User user, CancellationToken cancellationToken)
    {
        var current = context.Request.SessionToken();
        if (!SessionToken.TryParse(current, out var parsed) || parsed.Id != family.SessionId)
        {
            return null;
        }

        var rotation = await sessions.RotateAsync(current, new SessionChanges { Claims = SessionIssuer.RefreshedClaimsOf(user) }, cancellationToken);
        return rotation.Issued;
    }

    private async Task<IssuedSession?> ReplaceAsync(HttpContext context, RefreshFamily family, User user, CancellationToken cancellationToken)
    {
        var old = family.SessionId is { } id ? await sessions.GetAsync(family.UserId, id, cancellationToken) : null;
        // However often it is refreshed, a log-in ends when its family does.
        var left = TimeSpan.FromSeconds(Math.Max(1, Math.Floor((family.ExpiresAt - clock.GetUtcNow()).TotalSeconds)));
        var issued = await issuer.ContinueAsync(context, user, family.SessionId, old?.DeviceName, left, cancellationToken);
        if (!await families.BindSessionAsync(family.UserId, family.Id, issued.Session.Id, cancellationToken))
        {
            await sessions.RevokeAsync(family.UserId, issued.Session.Id, cancellationToken);
            return null;
        }

        if (old is not null)
        {
            await sessions.RevokeAsync(family.UserId, old.Id, cancellationToken);
        }

        return issued;
    }
}
