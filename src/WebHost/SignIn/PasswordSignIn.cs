using Maintenance.Storage.TwoFactor;
using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Passwords;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.SignIn;

/// <summary>Signs in with a password. Whether there is such an account changes neither the steps nor the answer.</summary>
internal sealed class PasswordSignIn(
    UserManager<User> users,
    PasswordWork passwords,
    AccountLimit failures,
    ICaptchaCheck captcha,
    ITwoFactorStore challenges,
    SessionIssuer issuer,
    IAuditTrail audit,
    TimeProvider clock,
    IOptionsMonitor<CaptchaOptions> captchaOptions,
    IOptionsMonitor<AccountOptions> accountOptions)
{
    private static readonly string[] Methods = [SecondFactorMethods.Totp, SecondFactorMethods.RecoveryCode];

    public async Task<IResult> SignInAsync(LoginRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        var limit = await failures.TryAsync(request.Email, cancellationToken);
        if (!limit.IsAllowed)
        {
            audit.Record(context, new AuditEvent { Action = AuditActions.Locked, Succeeded = false });
            return LimitProblems.TooMany(context, limit);
        }

        if (captcha.IsEnabled
            && AccountLimit.FailuresBefore(limit) >= captchaOptions.CurrentValue.AfterFailures
            && !await captcha.IsPersonAsync(request.Captcha, context.Connection.RemoteIpAddress, cancellationToken))
        {
            return Problems.Of(StatusCodes.Status403Forbidden, "captcha_required", "Answer the CAPTCHA and send its answer in the field captcha.");
        }

        var user = await users.FindByEmailAsync(request.Email);
        var check = await passwords.CheckAsync(user, request.Password, cancellationToken);
        if (user is null || !check.Matches)
        {
            audit.Record(context, new AuditEvent { Action = AuditActions.LoggedIn, Succeeded = false, UserId = user?.Key, Detail = "wrong address or password" });
            return Problems.InvalidCredentials();
        }

        // From here on the caller has shown that it knows the password, and may be told about the account.
        await failures.TryForgetAsync(request.Email, cancellationToken);
        if (Refusal(user) is { } refusal)
        {
            audit.Record(context, new AuditEvent { Action = AuditActions.LoggedIn, Succeeded = false, UserId = user.Key, Detail = refusal.Code });
            return Problems.Of(StatusCodes.Status403Forbidden, refusal.Code, refusal.Detail);
        }

        if (check.NeedsRehash)
        {
            user.PasswordHash = await passwords.HashAsync(request.Password, cancellationToken);
            await users.UpdateAsync(user);
        }

        return user.TwoFactorEnabled
            ? await AskSecondFactorAsync(user, request.Device, context, cancellationToken)
            : await FinishAsync(user, request.Device, "password", context, cancellationToken);
    }

    /// <summary>Why an account may not sign in although its owner has proved to be the owner; null: it may.</summary>
    public (string Code, string Detail)? Refusal(User user) => user switch
    {
        { DisabledAt: not null } => ("account_disabled", "This account has been disabled."),
        { LockoutEnd: { } end } when end > clock.GetUtcNow() => ("account_locked", "This account is locked for now."),
        { EmailVerified: false } when accountOptions.CurrentValue.RequireVerifiedEmail => ("email_not_verified", "Verify the e-mail address first."),
        _ => null,
    };

    /// <summary>Asks for the second factor: 200 with a challenge instead of a session.</summary>
    public async Task<IResult> AskSecondFactorAsync(User user, string? device, HttpContext context, CancellationToken cancellationToken)
    {
        var start = await challenges.BeginAsync(
            new NewTwoFactorChallenge { UserId = user.Key, Method = SecondFactorMethods.Totp, Data = device }, cancellationToken);
        // As with a session: whoever changes the password, or unlinks a provider, writes that first. A challenge that began with what was valid before ends here,
        // or with everything else of the user.
        if (start.Challenge is { } begun && !await issuer.IsUnchangedAsync(user, cancellationToken))
        {
            await challenges.CancelAsync(user.Key, begun.Id, CancellationToken.None);
            audit.Record(context, new AuditEvent { Action = AuditActions.SecondFactorAsked, Succeeded = false, UserId = user.Key });
            return Problems.InvalidCredentials();
        }

        audit.Record(context, new AuditEvent { Action = AuditActions.SecondFactorAsked, Succeeded = start.IsBegun, UserId = user.Key });
        return start.Token is { } token
            ? TypedResults.Ok(new SecondFactorNeeded(token.Value, Methods, start.Challenge!.ExpiresAt))
            : LimitProblems.TooManyCodes(context, start.RetryAfter);
    }

    /// <summary>Gives the session.</summary>
    public async Task<IResult> FinishAsync(User user, string? device, string how, HttpContext context, CancellationToken cancellationToken)
    {
        var signedIn = await issuer.IssueAsync(context, user, device, cancellationToken);
        audit.Record(context, new AuditEvent { Action = AuditActions.LoggedIn, Succeeded = signedIn is not null, UserId = user.Key, Detail = how });
        return signedIn is null ? Problems.InvalidCredentials() : TypedResults.Ok(signedIn);
    }
}

/// <summary>Names of second factors, as clients see them.</summary>
internal static class SecondFactorMethods
{
    public const string Totp = "totp";
    public const string RecoveryCode = "recovery_code";
}
