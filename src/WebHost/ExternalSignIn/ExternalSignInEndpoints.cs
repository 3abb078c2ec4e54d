using System.ComponentModel.DataAnnotations;
using Maintenance.Storage.OAuth;
using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.SignIn;
using Maintenance.WebHost.StepUp;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.ExternalSignIn;

/// <summary>A provider to sign in with.</summary>
internal sealed record ExternalProvider(string Name, string DisplayName);

/// <summary>The providers.</summary>
internal sealed record ExternalProviders(IReadOnlyList<ExternalProvider> Providers);

/// <summary>A provider that signs the user in.</summary>
internal sealed record LinkedLogin(string Provider, string? Name);

/// <summary>The providers that sign the user in.</summary>
internal sealed record LinkedLogins(IReadOnlyList<LinkedLogin> Logins);

/// <summary>Where to send the browser.</summary>
internal sealed record ExternalStart(string Url);

/// <summary>Where to go when the provider is linked.</summary>
internal sealed record LinkRequest
{
    [StringLength(ReturnUrls.MaxLength)]
    public string? ReturnUrl { get; init; }
}

/// <summary>Sign-in at other providers. A browser is redirected; another client (without <c>Accept: text/html</c>) gets JSON.</summary>
internal static class ExternalSignInEndpoints
{
    public static IEndpointRouteBuilder MapExternalSignIn(this IEndpointRouteBuilder auth)
    {
        auth.MapGet("external", (IOptionsMonitor<ExternalSignInOptions> options) => new ExternalProviders(
                [.. options.CurrentValue.Providers.Select(provider => new ExternalProvider(provider.Key, provider.Value.DisplayName ?? provider.Key))]))
            .RequireRateLimiting(Limits.Public)
            .WithSummary("The providers that can be signed in with.");
        auth.MapGet("external/{provider}", BeginAsync)
            .Produces(StatusCodes.Status302Found)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .RequireRateLimiting(Limits.Login)
            .WithSummary("Sends the browser to a provider; ?returnUrl= is a path on this host.");
        auth.MapGet("external/{provider}/callback", FinishAsync)
            .Produces<SignedIn>()
            .OrProduces<SecondFactorNeeded>(SecondFactorNeeded.When)
            .Produces(StatusCodes.Status204NoContent)
            .Produces(StatusCodes.Status302Found)
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .RequireRateLimiting(Limits.Login)
            .WithSummary("Where a provider sends the browser back to.");

        var linked = auth.MapGroup("external-logins").RequireAuthorization().RequireRateLimiting(Limits.Sensitive);
        linked.MapGet("", ListAsync)
            .Produces<LinkedLogins>()
            .WithSummary("The providers that sign the user in.");
        linked.MapPost("{provider}", LinkAsync)
            .Validated<LinkRequest>()
            .RequireRecentAuthentication()
            .Produces<ExternalStart>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .WithSummary("Begins to link a provider; send the browser to the URL.");
        linked.MapDelete("{provider}", UnlinkAsync)
            .RequireRecentAuthentication()
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .WithSummary("Unlinks a provider, unless it is the only way in.");
        return auth;
    }

    private static async Task<IResult> BeginAsync(
        string provider, HttpContext context, ExternalSignInFlow flow, IOptionsMonitor<ExternalSignInOptions> options, IOptionsMonitor<OAuthStateOptions> states, CancellationToken stop, string returnUrl = "/")
    {
        if (!options.CurrentValue.Providers.TryGetValue(provider, out var settings))
        {
            return NoProvider();
        }

        // Decoded by now; it comes back in a header, which holds ASCII only.
        returnUrl = ReturnUrls.ToAscii(returnUrl);
        if (!states.CurrentValue.IsReturnUrlAllowed(returnUrl))
        {
            return NotAllowed();
        }

        try
        {
            return TypedResults.Redirect((await flow.BeginAsync(provider, settings, returnUrl, linkTo: null, context, stop)).AbsoluteUri);
        }
        catch (ExternalSignInException exception)
        {
            return Failed(provider, exception, context, flow, options.CurrentValue);
        }
    }

    private static async Task<IResult> FinishAsync(
        string provider, [AsParameters] ExternalCallback callback, HttpContext context, ExternalSignInFlow flow, IOptionsMonitor<ExternalSignInOptions> options, CancellationToken stop)
    {
        if (!options.CurrentValue.Providers.TryGetValue(provider, out var settings))
        {
            return NoProvider();
        }

        try
        {
            var end = await flow.FinishAsync(provider, settings, callback, context, stop);
            if (!IsBrowser(context))
            {
                return end.Result;
            }

            // In the fragment, which no server and no Referer header sees.
            return end.IsSignedIn ? Return(end.ReturnUrl)
                : end.SecondFactor is { } factor && options.CurrentValue.TwoFactorPath is { } path
                    ? TypedResults.LocalRedirect($"{path}#challengeId={Uri.EscapeDataString(factor.ChallengeId)}&returnUrl={Uri.EscapeDataString(end.ReturnUrl)}")
                    : end.Result;
        }
        catch (ExternalSignInException exception)
        {
            return Failed(provider, exception, context, flow, options.CurrentValue);
        }
    }

    private static async Task<IResult> ListAsync(HttpContext context, UserManager<User> users) =>
        await users.FindByIdAsync(context.User.UserId()) is { } user
            ? TypedResults.Ok(new LinkedLogins([.. (await users.GetLoginsAsync(user)).Select(login => new LinkedLogin(login.LoginProvider, login.ProviderDisplayName))]))
            : Problems.Unauthorized();

    private static async Task<IResult> LinkAsync(
        string provider, LinkRequest request, HttpContext context, UserManager<User> users, ExternalSignInFlow flow, IOptionsMonitor<ExternalSignInOptions> options, IOptionsMonitor<OAuthStateOptions> states, CancellationToken stop)
    {
        if (!options.CurrentValue.Providers.TryGetValue(provider, out var settings))
        {
            return NoProvider();
        }

        if (await users.FindByIdAsync(context.User.UserId()) is not { DisabledAt: null } user)
        {
            return Problems.Unauthorized();
        }

        var returnUrl = ReturnUrls.ToAscii(request.ReturnUrl ?? "/");
        if (!states.CurrentValue.IsReturnUrlAllowed(returnUrl))
        {
            return NotAllowed();
        }

        try
        {
            return TypedResults.Ok(new ExternalStart((await flow.BeginAsync(provider, settings, returnUrl, user, context, stop)).AbsoluteUri));
        }
        catch (ExternalSignInException exception)
        {
            flow.Failed(provider, exception, context);
            return ExternalProblems.Of(exception.Error, context.Response);
        }
    }

    private static async Task<IResult> UnlinkAsync(string provider, HttpContext context, UserManager<User> users, IOptionsMonitor<ExternalSignInOptions> options, AccountMail mail, IAuditTrail audit)
    {
        if (await users.FindByIdAsync(context.User.UserId()) is not { DisabledAt: null } user)
        {
            return Problems.Unauthorized();
        }

        var logins = await users.GetLoginsAsync(user);
        var linked = logins.Where(login => login.LoginProvider == provider).ToList();
        if (linked.Count == 0)
        {
            return Problems.NotFound("This provider is not linked.");
        }

        // A provider that is configured no more lets nobody in.
        if (user.PasswordHash is null && !logins.Except(linked).Any(other => options.CurrentValue.Providers.ContainsKey(other.LoginProvider)))
        {
            return Problems.Of(StatusCodes.Status409Conflict, "only_way_in", "Without this provider the account could not be signed in to. Set a password first, by forgot-password.");
        }

        // There may be two identities of one provider.
        foreach (var login in linked)
        {
            if (!(await users.RemoveLoginAsync(user, login.LoginProvider, login.ProviderKey)).Succeeded)
            {
                return Problems.Of(StatusCodes.Status409Conflict, "conflict", "The account was changed at the same time. Try again.");
            }
        }

        audit.Record(context, new AuditEvent { Action = AuditActions.ExternalUnlinked, UserId = user.Key, Detail = provider });
        mail.SendUnlinked(user, provider);
        return TypedResults.NoContent();
    }

    private static IResult Failed(string provider, ExternalSignInException exception, HttpContext context, ExternalSignInFlow flow, ExternalSignInOptions options)
    {
        flow.Failed(provider, exception, context);
        return options.ErrorPath is { } path && IsBrowser(context)
            ? TypedResults.LocalRedirect($"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}error={ExternalProblems.Code(exception.Error)}")
            : ExternalProblems.Of(exception.Error, context.Response);
    }

    // IsReturnUrlAllowed may have been set to one that knows other hosts too; a local redirect would throw there.
    private static RedirectHttpResult Return(string url) => ReturnUrls.IsLocal(url) ? TypedResults.LocalRedirect(url) : TypedResults.Redirect(url);

    private static bool IsBrowser(HttpContext context) => context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    private static ProblemHttpResult NoProvider() => Problems.NotFound("There is no such provider.");

    private static ProblemHttpResult NotAllowed() => Problems.Invalid("returnUrl", "Only a path on this host is accepted, for example /account.");
}
