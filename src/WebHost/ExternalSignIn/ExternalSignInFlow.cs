using Maintenance.Storage.OAuth;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.ExternalSignIn.OpenId;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.SignIn;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.ExternalSignIn;

/// <summary>What a provider's callback brings; all of it is the client's word until it is checked.</summary>
internal sealed record ExternalCallback(string? Code, string? State, string? Error, string? Iss);

/// <summary>Sends browsers to providers and takes them back. What must be remembered meanwhile lies sealed in Storage, for this browser only, once.</summary>
internal sealed class ExternalSignInFlow(
    ProviderClient client,
    IOAuthStateStore states,
    ISessionStore sessions,
    AccountLinking linking,
    PasswordSignIn signIn,
    UserManager<User> users,
    IAuditTrail audit,
    IOptionsMonitor<ExternalSignInOptions> options,
    ILogger<ExternalSignInFlow> logger)
{
    public const string BrowserCookie = "__Host-external";

    private const int MaxCodeLength = 4096;
    private const string NonceItem = "nonce";
    private const string LinkItem = "link";
    private const string SessionItem = "session";
    private const string StampItem = "stamp";

    /// <summary>Where to send the browser.</summary>
    /// <param name="name">The provider.</param>
    /// <param name="provider">Its settings.</param>
    /// <param name="returnUrl">Where to go afterwards; allowed by Storage's rule.</param>
    /// <param name="linkTo">User who is signed in and asks to link the provider; null: a sign-in.</param>
    /// <param name="context">The request; gets the cookie that ties the state to this browser.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<Uri> BeginAsync(
        string name, ExternalProviderOptions provider, string returnUrl, User? linkTo, HttpContext context, CancellationToken cancellationToken)
    {
        var secrets = SignInSecrets.Create();
        var issued = await states.CreateAsync(
            new NewOAuthState
            {
                Provider = name,
                CodeVerifier = secrets.CodeVerifier,
                ReturnUrl = returnUrl,
                BrowserNonce = context.Request.Cookies[BrowserCookie],
                Items = new Dictionary<string, string?>(StringComparer.Ordinal) { [NonceItem] = secrets.Nonce, [LinkItem] = linkTo?.Key, [SessionItem] = linkTo is null ? null : context.User.SessionId().Value, [StampItem] = linkTo?.SecurityStamp },
            },
            cancellationToken);
        var url = await client.AuthorizationUrlAsync(provider, RedirectUri(name), issued.State, secrets, cancellationToken);
        context.Response.Cookies.Append(BrowserCookie, issued.BrowserNonce, new CookieOptions
        {
            Secure = true,
            HttpOnly = true,
            // The provider's redirect comes from another site; Strict would not be sent with it.
            SameSite = SameSiteMode.Lax,
            Path = "/",
            MaxAge = issued.Life,
            IsEssential = true,
        });
        return url;
    }

    /// <summary>Signs in, or links, who comes back.</summary>
    /// <exception cref="ExternalSignInException">It is not believed, or not allowed.</exception>
    public async Task<ExternalEnd> FinishAsync(
        string name, ExternalProviderOptions provider, ExternalCallback callback, HttpContext context, CancellationToken cancellationToken)
    {
        // First of all: whatever else the callback says, its state is used up.
        var redemption = await states.RedeemAsync(name, callback.State, context.Request.Cookies[BrowserCookie], cancellationToken);
        if (redemption.State is not { CodeVerifier: { } verifier } state || state.Items.GetValueOrDefault(NonceItem) is not { } nonce)
        {
            throw new ExternalSignInException(ExternalSignInError.InvalidState, $"The state was {redemption.Outcome}.");
        }

        if (!await client.IsIssuerAsync(provider, callback.Iss, cancellationToken))
        {
            throw new ExternalSignInException(ExternalSignInError.InvalidResponse, "The callback names another issuer.");
        }

        if (callback.Error is not null)
        {
            throw callback.Error is "server_error" or "temporarily_unavailable"
                ? new ExternalSignInException(ExternalSignInError.ProviderUnavailable, "The provider says that it failed.")
                : new ExternalSignInException(ExternalSignInError.AccessDenied, "The provider or the user refused.");
        }

        if (callback.Code is not { Length: > 0 and <= MaxCodeLength } code)
        {
            throw new ExternalSignInException(ExternalSignInError.InvalidResponse, "The callback has no code.");
        }

        var identity = await client.IdentifyAsync(name, provider, code, RedirectUri(name), new SignInSecrets(verifier, nonce), cancellationToken);
        var returnUrl = ReturnUrls.ToAscii(state.ReturnUrl ?? "/");
        if (state.Items.GetValueOrDefault(LinkItem) is { } linkTo)
        {
            var owner = await users.FindByIdAsync(linkTo);
            if (owner is not { DisabledAt: null })
            {
                throw new ExternalSignInException(ExternalSignInError.AccountDisabled, "The account has been disabled or deleted meanwhile.");
            }

            // Read after the user: a new password that comes in between writes the user too, and then the link below fails for its version.
            if (state.Items.GetValueOrDefault(StampItem) != owner.SecurityStamp
                || !SessionId.TryParse(state.Items.GetValueOrDefault(SessionItem), out var began)
                || await sessions.GetAsync(owner.Key, began, cancellationToken) is null)
            {
                throw new ExternalSignInException(ExternalSignInError.InvalidState, "The session that began to link has ended, or a way to sign in was changed meanwhile.");
            }

            await linking.LinkAsync(owner, identity, context);
            return new ExternalEnd(returnUrl, TypedResults.NoContent());
        }

        var user = await linking.ResolveAsync(identity, provider, context);
        if (signIn.Refusal(user) is { } refusal)
        {
            audit.Record(context, new AuditEvent { Action = AuditActions.LoggedIn, Succeeded = false, UserId = user.Key, Detail = refusal.Code });
            throw new ExternalSignInException(ExternalSignInError.AccountDisabled, $"The account may not sign in: {refusal.Code}.");
        }

        var result = user.TwoFactorEnabled
            ? await signIn.AskSecondFactorAsync(user, device: null, context, cancellationToken)
            : await signIn.FinishAsync(user, device: null, $"external {name}", context, cancellationToken);
        return new ExternalEnd(returnUrl, result);
    }

    /// <summary>Records a failure where the operator sees why; the client learns only its kind.</summary>
    public void Failed(string name, ExternalSignInException exception, HttpContext context)
    {
        logger.ExternalSignInFailed(name, exception.Error, exception.Message);
        audit.Record(context, new AuditEvent { Action = AuditActions.ExternalSignIn, Succeeded = false, Detail = $"{name}: {ExternalProblems.Code(exception.Error)}" });
    }

    private string RedirectUri(string name) => $"{options.CurrentValue.PublicOrigin!.TrimEnd('/')}/api/auth/external/{name}/callback";
}

/// <summary>How a callback ended.</summary>
/// <param name="ReturnUrl">Where a browser goes.</param>
/// <param name="Result">What another client gets.</param>
internal sealed record ExternalEnd(string ReturnUrl, IResult Result)
{
    public bool IsSignedIn => Result is Ok<Sessions.SignedIn> or NoContent;

    public SecondFactorNeeded? SecondFactor => (Result as Ok<SecondFactorNeeded>)?.Value;
}
