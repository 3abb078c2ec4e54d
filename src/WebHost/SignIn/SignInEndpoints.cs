using Maintenance.Storage.Outage;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;

namespace Maintenance.WebHost.SignIn;

/// <summary>Signing in and out.</summary>
internal static class SignInEndpoints
{
    public static IServiceCollection AddSignIn(this IServiceCollection services)
    {
        HttpCaptchaCheck.Add(services);
        services.AddSettings<KnownDeviceOptions, KnownDeviceOptionsValidator>(KnownDeviceOptions.Section);
        services.AddSingleton<KnownDevices>();
        services.AddScoped<AccountLimit>();
        services.AddScoped<PasswordSignIn>();
        services.AddScoped<SecondFactorSignIn>();
        services.AddScoped<TokenRefresh>();
        return services;
    }

    public static IEndpointRouteBuilder MapSignIn(this IEndpointRouteBuilder auth)
    {
        auth.MapPost("login", (LoginRequest request, HttpContext context, PasswordSignIn signIn, CancellationToken stop) => signIn.SignInAsync(request, context, stop))
            .Validated<LoginRequest>()
            .Produces<SignedIn>()
            .OrProduces<SecondFactorNeeded>(SecondFactorNeeded.When)
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .IgnoresCookie()
            .RequireRateLimiting(Limits.Login)
            .WithSummary("Signs in with a password; answers a challenge when a second factor is needed.");
        auth.MapPost("login/2fa", (SecondFactorRequest request, HttpContext context, SecondFactorSignIn signIn, CancellationToken stop) => signIn.SignInAsync(request, context, stop))
            .Validated<SecondFactorRequest>()
            .Produces<SignedIn>()
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .IgnoresCookie()
            .RequireRateLimiting(Limits.Login)
            .WithSummary("Finishes a log-in with a code of an authenticator or a recovery code.");
        auth.MapPost("refresh", (RefreshRequest request, HttpContext context, TokenRefresh refresh, CancellationToken stop) => refresh.RefreshAsync(request, context, stop))
            .Validated<RefreshRequest>()
            .Produces<SignedIn>()
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .IgnoresCookie()
            .RequireRateLimiting(Limits.Refresh)
            .WithSummary("Exchanges a refresh token; each works once.");
        auth.MapPost("logout", LogOutAsync)
            .Produces(StatusCodes.Status204NoContent)
            .Produces<Accounts.Accepted>(StatusCodes.Status202Accepted)
            .RequireAuthorization()
            .RequireRateLimiting(Limits.User)
            .WithSummary("Ends this session; 202 when Redis is away and it is only written down.");
        auth.MapPost("logout-all", LogOutEverywhereAsync)
            .Produces<LoggedOutEverywhere>()
            .Produces<LoggedOutEverywhere>(StatusCodes.Status202Accepted)
            .RequireAuthorization()
            .RequireRateLimiting(Limits.Sensitive)
            .WithSummary("Ends every session; ?keepCurrent=true keeps this one. 202 when Redis is away and it is only written down.");
        return auth;
    }

    private static async Task<IResult> LogOutAsync(HttpContext context, ISessionStore sessions, SessionCookies cookies, IAuditTrail audit, CancellationToken stop)
    {
        var (user, session) = (context.User.UserId(), context.User.SessionId());
        var revocation = await sessions.RevokeAsync(user, session, stop);
        cookies.Remove(context);
        audit.Record(context, new AuditEvent { Action = AuditActions.LoggedOut, UserId = user, SessionId = session.Value });
        return revocation.Outcome == RevocationOutcome.Done ? TypedResults.NoContent() : TypedResults.Accepted((string?)null, Accounts.Accepted.Journalled);
    }

    private static async Task<IResult> LogOutEverywhereAsync(
        HttpContext context, ISessionStore sessions, SessionCookies cookies, IAuditTrail audit, CancellationToken stop, bool keepCurrent = false)
    {
        var (user, session) = (context.User.UserId(), context.User.SessionId());
        var revoked = await sessions.RevokeAllAsync(user, keepCurrent ? session : null, stop);
        if (!revoked.KeptSession)
        {
            cookies.Remove(context);
        }

        audit.Record(context, new AuditEvent { Action = AuditActions.LoggedOutEverywhere, UserId = user, SessionId = session.Value });
        var answer = new LoggedOutEverywhere(revoked.EndedSessions);
        return revoked.Outcome == RevocationOutcome.Done ? TypedResults.Ok(answer) : TypedResults.Accepted((string?)null, answer);
    }
}
