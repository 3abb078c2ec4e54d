using System.ComponentModel.DataAnnotations;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Passwords;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.StepUp;

/// <summary>What proves who somebody is.</summary>
internal sealed record ReauthenticateRequest
{
    /// <summary>The password; needed unless the account has none.</summary>
    [StringLength(PasswordSettings.MaxLength)]
    public string? Password { get; init; }

    /// <summary>A code of the authenticator; needed when the second factor is on.</summary>
    [StringLength(6, MinimumLength = 6)]
    public string? Code { get; init; }
}

/// <summary>The session's new token. The old one ends a few seconds later.</summary>
internal sealed record Reauthenticated(string SessionToken, DateTimeOffset ExpiresAt, string AntiforgeryToken);

/// <summary>Lets somebody who is signed in prove again who it is; the session gets a new token.</summary>
internal sealed class Reauthentication(
    UserManager<User> users, PasswordChange passwords, AuthenticatorCheck authenticator, ISessionStore sessions, SessionCookies cookies, IAuditTrail audit)
{
    public async Task<IResult> ProveAsync(ReauthenticateRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        if (await users.FindByIdAsync(context.User.UserId()) is not { DisabledAt: null } user)
        {
            return Problems.Unauthorized();
        }

        if (await RefusalAsync(user, request, context, cancellationToken) is { } refusal)
        {
            return refusal;
        }

        var rotation = await sessions.RotateAsync(context.Request.SessionToken(), new SessionChanges { Reauthenticated = true }, cancellationToken);
        if (rotation.Issued is not { } issued)
        {
            return rotation.Outcome == RotationOutcome.AlreadyRotated
                ? Problems.Of(StatusCodes.Status409Conflict, "conflict", "Another request has just given this session a new token. Use that.")
                : Problems.Unauthorized();
        }

        cookies.Set(context.Response, issued);
        audit.Record(context, new AuditEvent { Action = AuditActions.StepUp, UserId = user.Key, SessionId = issued.Session.Id.Value });
        return TypedResults.Ok(new Reauthenticated(
            issued.Token.Value, issued.Session.ExpiresAt, SessionCookies.AntiforgeryTokenOf(issued.Token.Value)));
    }

    private async Task<IResult?> RefusalAsync(User user, ReauthenticateRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        if (user is { PasswordHash: null, TwoFactorEnabled: false })
        {
            return Problems.Of(StatusCodes.Status403Forbidden, "sign_in_again", "This account has neither a password nor a second factor: sign in again at its provider.");
        }

        // Both must be there before either is tried, so that a code is not used up for nothing.
        if (user.PasswordHash is not null && string.IsNullOrEmpty(request.Password))
        {
            return Problems.Invalid("password", "The password is required.");
        }

        if (user.TwoFactorEnabled && string.IsNullOrEmpty(request.Code))
        {
            return Problems.Invalid("code", "A code of the authenticator is required.");
        }

        return user.PasswordHash is not null && await passwords.ConfirmAsync(user, request.Password!, "password", context, cancellationToken) is { } wrong
            ? wrong
            : user.TwoFactorEnabled ? await authenticator.RefusalAsync(context, user, request.Code, cancellationToken) : null;
    }
}

internal static class StepUpEndpoints
{
    public static IServiceCollection AddStepUp(this IServiceCollection services)
    {
        services.AddSettings<StepUpOptions, StepUpOptionsValidator>(StepUpOptions.Section);
        services.AddScoped<RecentProof>();
        return services.AddScoped<Reauthentication>();
    }

    public static IEndpointRouteBuilder MapStepUp(this IEndpointRouteBuilder auth)
    {
        auth.MapPost("reauthenticate", (ReauthenticateRequest request, HttpContext context, Reauthentication proof, CancellationToken stop) => proof.ProveAsync(request, context, stop))
            .Validated<ReauthenticateRequest>()
            .Produces<Reauthenticated>()
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .RequireAuthorization()
            .RequireRateLimiting(Limits.Sensitive)
            .WithSummary("Proves again who is signed in; needed before what matters most. The session gets a new token.");
        return auth;
    }
}
