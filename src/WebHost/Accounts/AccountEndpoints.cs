using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.UserData;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Passwords;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.StepUp;
using Microsoft.AspNetCore.Mvc;

namespace Maintenance.WebHost.Accounts;

/// <summary>Making, proving, recovering and deleting accounts.</summary>
internal static class AccountEndpoints
{
    private const string OnItsWay = "If there is such an account, a message is on its way.";

    public static IServiceCollection AddAccounts(this IServiceCollection services)
    {
        services.AddOptions<AccountOptions>().BindConfiguration(AccountOptions.Section).ValidateOnStart();
        services.AddSettings<PasswordSettings, PasswordSettingsValidator>(PasswordSettings.Section);
        services.AddSingleton<HashingThreads>();
        services.AddSingleton<PasswordWork>();
        services.AddHostedService<DecoyPreparation>();
        services.AddSingleton<IBreachedPasswords, BreachedPasswordList>();
        services.AddSingleton<PasswordPolicy>();
        services.AddSingleton<AccountMail>();
        services.AddSingleton<PasswordReset>();
        services.AddSingleton<IUserDataSource, AccountData>();
        services.AddSingleton<AccountExport>();
        services.AddScoped<AccountDeletion>();
        services.AddScoped<AccountState>();
        services.AddScoped<EmailVerification>();
        services.AddScoped<PasswordChange>();
        services.AddScoped<UnverifiedCleanup>();
        services.AddScoped<Registration>();
        return services;
    }

    public static IEndpointRouteBuilder MapAccounts(this IEndpointRouteBuilder auth)
    {
        auth.MapPost("register", (RegisterRequest request, HttpContext context, Registration registration, CancellationToken stop) => registration.RegisterAsync(request, context, stop))
            .Validated<RegisterRequest>()
            .Produces<Registered>(StatusCodes.Status201Created)
            .IgnoresCookie()
            .RequireRateLimiting(Limits.Register)
            .WithSummary("Registers an account; the answer is the same for an address that has one.");
        auth.MapPost("verify-email", (VerifyEmailRequest request, HttpContext context, EmailVerification verification, CancellationToken stop) => verification.VerifyAsync(request, context, stop))
            .Validated<VerifyEmailRequest>()
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .IgnoresCookie()
            .RequireRateLimiting(Limits.Redeem)
            .WithSummary("Proves an e-mail address by the token that was sent to it. Send the session or the password too: it shows that the account is the owner's.");
        auth.MapPost("verify-email/resend", (EmailRequest request, AccountMail mail) =>
            {
                mail.SendVerification(request.Email);
                return TypedResults.Accepted((string?)null, new Accepted(OnItsWay));
            })
            .Validated<EmailRequest>()
            .IgnoresCookie()
            .RequireRateLimiting(Limits.Mail)
            .WithSummary("Sends the verification again.");
        auth.MapPost("forgot-password", (EmailRequest request, AccountMail mail) =>
            {
                mail.SendReset(request.Email);
                return TypedResults.Accepted((string?)null, new Accepted(OnItsWay));
            })
            .Validated<EmailRequest>()
            .IgnoresCookie()
            .RequireRateLimiting(Limits.Mail)
            .WithSummary("Sends a link to choose a new password; the answer is the same for an unknown address.");
        auth.MapPost("reset-password", (ResetPasswordRequest request, HttpContext context, PasswordChange change, CancellationToken stop) => change.ResetAsync(request, context, stop))
            .Validated<ResetPasswordRequest>()
            .Produces(StatusCodes.Status204NoContent)
            .IgnoresCookie()
            .RequireRateLimiting(Limits.Redeem)
            .WithSummary("Sets a new password by a token and ends every session.");
        auth.MapPut("profile/password", (ChangePasswordRequest request, HttpContext context, PasswordChange change, CancellationToken stop) => change.ChangeAsync(request, context, stop))
            .Validated<ChangePasswordRequest>()
            .Produces<SignedIn>()
            .Produces<SignedIn>(StatusCodes.Status202Accepted)
            .RequireAuthorization()
            .RequireRateLimiting(Limits.Sensitive)
            .WithSummary("Sets a new password by the old one and ends every session; the caller gets a new one. 202 when Redis is away and the end is only written down.");
        auth.MapDelete("account", ([FromBody] DeleteAccountRequest request, HttpContext context, AccountDeletion deletion, CancellationToken stop) => deletion.DeleteAsync(request, context, stop))
            .Validated<DeleteAccountRequest>()
            .Produces(StatusCodes.Status204NoContent)
            .RequireAuthorization()
            .RequireRateLimiting(Limits.Sensitive)
            .WithSummary("Deletes the account and all that is known of its owner.");
        auth.MapGet("account/export", (HttpContext context, AccountExport export, CancellationToken stop) => export.ExportAsync(context, stop))
            .RequireRecentAuthentication()
            .Produces(StatusCodes.Status200OK, contentType: "application/json")
            .RequireAuthorization()
            .RequireRateLimiting(Limits.Sensitive)
            .WithSummary("All that is known of the user, as one JSON document without secrets; a few an hour.");
        return auth;
    }
}
