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
    KnownDevices devices,
    ICaptchaCheck captcha,
    ITwoFactorStore challenges,
    SessionIssuer issuer,
    IAuditTrail audit,
    TimeProvider clock,
    IOptionsMonitor<CaptchaOptions> captchaOptions,
    IOptionsMonitor<AccountOptions> accountOptions)
{
    private static readonly string[] Methods = [SecondFactorMethods.Totp, SecondFactorMethods.RecoveryCode];

    /// <summary>Signs in.</summary>
    /// <param name="request">Address and password.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="canShowCaptcha">False: the caller's page cannot show one, so none is asked for; it has a limit of its own instead.</param>
    public async Task<IResult> SignInAsync(LoginRequest request, HttpContext context, CancellationToken cancellationToken, bool canShowCaptcha = true)
    {
        var known = devices.Read(context, request.DeviceToken);
        // Beside each other, whatever the count says: a stranger can have any number of addresses looked up anyway. Only who shows a device that this host
        // has signed is counted when it is known whose it is, whatever the address.
        var counting = known.Count == 0 ? failures.TryAsync(request.Email, device: null, cancellationToken) : null;
        var finding = users.FindByEmailAsync(request.Email);
        try
        {
            var counted = await (counting ?? failures.TryAsync(request.Email, KnownDevices.Find(known, await finding), cancellationToken));
            return await SignInAsync(request, finding, counted, known, context, canShowCaptcha, cancellationToken);
        }
        finally
        {
            // The request's database is its own until then.
            await ((Task)finding).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<IResult> SignInAsync(
        LoginRequest request,
        Task<User?> finding,
        LogInTry counted,
        IReadOnlyList<KnownLogIn> known,
        HttpContext context,
        bool canShowCaptcha,
        CancellationToken cancellationToken)
    {
        if (!counted.IsAllowed)
        {
            audit.Record(context, new AuditEvent { Action = AuditActions.Locked, Succeeded = false });
            return LimitProblems.TooMany(context, counted.Result);
        }

        if (canShowCaptcha
            && captcha.IsEnabled
            && counted.FailuresBefore >= captchaOptions.CurrentValue.AfterFailures
            && !await captcha.IsPersonAsync(request.Captcha, context.Connection.RemoteIpAddress, cancellationToken))
        {
            await failures.TryRefundAsync(counted);
            // Of nobody, like a lock: whose address it is has not been looked at.
            audit.Record(context, new AuditEvent
            {
                Action = AuditActions.CaptchaAsked,
                Succeeded = false,
                Detail = string.IsNullOrEmpty(request.Captcha) ? "no answer was sent" : "the answer was not taken",
            });
            return Problems.Of(StatusCodes.Status403Forbidden, "captcha_required", "Answer the CAPTCHA and send its answer in the field captcha.");
        }

        var user = await finding;
        var (check, mark) = await CompareAsync(user, request.Password, cancellationToken);
        if (user is null || !check.Matches)
        {
            audit.Record(context, new AuditEvent { Action = AuditActions.LoggedIn, Succeeded = false, UserId = user?.Key, Detail = "wrong address or password" });
            return Problems.InvalidCredentials();
        }

        // From here on the caller has shown that it knows the password, and may be told about the account. The failures are forgotten beside what follows.
        var answering = AnswerAsync(request, user, check, mark, context, known, cancellationToken);
        var forgetting = failures.TryForgetAsync(counted, cancellationToken);
        await Task.WhenAll(answering, forgetting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await forgetting;
        return await answering;
    }

    private async Task<(PasswordCheck Check, AccountMark? Mark)> CompareAsync(User? user, string password, CancellationToken cancellationToken)
    {
        var checking = passwords.CheckAsync(user, password, cancellationToken);
        if (checking.IsFaulted)
        {
            // No room for another hash: the answer waits for nothing.
            await checking;
        }

        var marking = issuer.MarkAsync(user, cancellationToken);
        await Task.WhenAll(checking, marking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return (await checking, await marking);
    }

    private async Task<IResult> AnswerAsync(
        LoginRequest request,
        User user,
        PasswordCheck check,
        AccountMark? mark,
        HttpContext context,
        IReadOnlyList<KnownLogIn> known,
        CancellationToken cancellationToken)
    {
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
            ? await AskSecondFactorAsync(user, request.Device, context, cancellationToken, SecondFactorMethods.AfterPassword)
            : await FinishAsync(user, request.Device, "password", context, cancellationToken, known, mark);
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
    public async Task<IResult> AskSecondFactorAsync(
        User user, string? device, HttpContext context, CancellationToken cancellationToken, string method = SecondFactorMethods.Totp)
    {
        var start = await challenges.BeginAsync(new NewTwoFactorChallenge { UserId = user.Key, Method = method, Data = device }, cancellationToken);
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
    /// <param name="user">Who has signed in.</param>
    /// <param name="device">Name of the device.</param>
    /// <param name="how">For the trail.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="known">
    /// What the device remembers, of who has shown the password: this log-in is added. Null: there was no password, and the device is not remembered,
    /// so that whoever has got hold of another way in collects no tries at it.
    /// </param>
    /// <param name="mark">What <see cref="SessionIssuer.MarkAsync"/> said while the password was compared.</param>
    public async Task<IResult> FinishAsync(
        User user, string? device, string how, HttpContext context, CancellationToken cancellationToken, IReadOnlyList<KnownLogIn>? known = null, AccountMark? mark = null)
    {
        var issuing = issuer.IssueAsync(context, user, device, mark, cancellationToken);
        KnownDevice? remembered;
        try
        {
            // While Redis works.
            remembered = known is null ? null : devices.Prepare(user, known);
        }
        finally
        {
            await ((Task)issuing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        var signedIn = await issuing;
        audit.Record(context, new AuditEvent { Action = AuditActions.LoggedIn, Succeeded = signedIn is not null, UserId = user.Key, Detail = how });
        return signedIn is null ? Problems.InvalidCredentials() : TypedResults.Ok(signedIn with { DeviceToken = devices.Give(context, remembered) });
    }
}

/// <summary>Names of second factors, as clients see them.</summary>
internal static class SecondFactorMethods
{
    public const string Totp = "totp";
    public const string RecoveryCode = "recovery_code";

    /// <summary>Kept with a challenge that a password began; clients never see it.</summary>
    public const string AfterPassword = "totp_after_password";
}
