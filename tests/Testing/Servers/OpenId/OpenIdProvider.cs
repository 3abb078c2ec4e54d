using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Maintenance.Testing;

/// <summary>The user who signs in at the provider. There is no page: the authorization endpoint sends the browser straight back.</summary>
/// <param name="Subject">Id.</param>
/// <param name="Email">Address; null is not told.</param>
/// <param name="EmailVerified">Whether verified.</param>
/// <param name="Name">Name.</param>
public sealed record ProviderUser(string Subject, string? Email, bool EmailVerified, string? Name = null);

/// <summary>
/// A small OpenID Connect provider on loopback with real keys: discovery, keys, authorization code with PKCE, user info. It is strict with its client,
/// and misbehaves on demand.
/// </summary>
public sealed class OpenIdProvider : IAsyncDisposable
{
    // Made once a process: RSA keys take a while.
    private static readonly Lazy<OpenIdKeys> FirstKeys = new(() => new OpenIdKeys());

    private readonly ConcurrentDictionary<string, PendingCode> codes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ProviderUser> accessTokens = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> requests = new(StringComparer.Ordinal);
    private readonly WebApplication app;
    private readonly TimeProvider time;
    private OpenIdKeys keys = FirstKeys.Value;

    private OpenIdProvider(TimeProvider time)
    {
        this.time = time;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        app = builder.Build();
        app.Use(MisbehaveAsync);
        app.MapGet("/.well-known/openid-configuration", () => Results.Json(Discovery()));
        app.MapGet("/keys", () => Results.Json(new { keys = keys.Published() }));
        app.MapGet("/authorize", (Delegate)Authorize);
        app.MapPost("/token", (Delegate)TokenAsync); // a delegate: as a RequestDelegate its result would be dropped
        app.MapGet("/userinfo", (Delegate)UserInfo);
    }

    /// <summary>The issuer.</summary>
    public string Authority { get; private set; } = string.Empty;

    /// <summary>The registered client.</summary>
    public string ClientId { get; } = "client-one";

    /// <summary>Its secret.</summary>
    public string ClientSecret { get; } = "provider-secret:with/odd characters%";

    /// <summary>Who signs in next.</summary>
    public ProviderUser User { get; set; } = new("subject-1", "anna@example.org", EmailVerified: true, "Anna");

    /// <summary>RS256, ES256, none, or HS256 (with the published RSA key as the secret).</summary>
    public string Algorithm { get; set; } = "RS256";

    /// <summary>Changes the claims of the next id tokens.</summary>
    public Action<Dictionary<string, object?>>? ChangeClaims { get; set; }

    /// <summary>Changes the finished token.</summary>
    public Func<string, string>? ChangeToken { get; set; }

    /// <summary>Changes the discovery document.</summary>
    public Action<Dictionary<string, object?>>? ChangeDiscovery { get; set; }

    /// <summary>Changes the user info.</summary>
    public Action<Dictionary<string, object?>>? ChangeUserInfo { get; set; }

    /// <summary>Error with which the browser comes back, for example <c>access_denied</c>.</summary>
    public string? AuthorizationError { get; set; }

    /// <summary>Error of the token endpoint, for example <c>invalid_client</c>.</summary>
    public string? TokenError { get; set; }

    /// <summary>Paths that answer 500.</summary>
    public ConcurrentBag<string> Broken { get; } = [];

    /// <summary>Paths that do not answer until the client gives up.</summary>
    public ConcurrentBag<string> Silent { get; } = [];

    /// <summary>Whether e-mail address and name are only in the user info.</summary>
    public bool ClaimsOnlyInUserInfo { get; set; }

    /// <summary>Access tokens given out, for tests that look for them where they must not be.</summary>
    public IReadOnlyCollection<string> AccessTokens => [.. accessTokens.Keys];

    /// <summary>Codes given out.</summary>
    public ConcurrentBag<string> Codes { get; } = [];

    /// <summary>Starts one on a free port.</summary>
    public static async Task<OpenIdProvider> StartAsync(TimeProvider? time = null)
    {
        var provider = new OpenIdProvider(time ?? TimeProvider.System);
        await provider.app.StartAsync();
        provider.Authority = provider.app.Urls.Single();
        return provider;
    }

    /// <summary>How often a path was asked for.</summary>
    public int RequestsOf(string path) => requests.GetValueOrDefault(path);

    /// <summary>Signs with a new key from now on, and publishes only that.</summary>
    public void RotateKeys() => keys = new OpenIdKeys();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromSeconds(1), TimeProvider.System);
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }

    private async Task MisbehaveAsync(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path.Value!;
        requests.AddOrUpdate(path, 1, (_, count) => count + 1);
        if (Silent.Contains(path))
        {
            var ends = app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, ends);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, either.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            context.Abort();
            return;
        }

        if (Broken.Contains(path))
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return;
        }

        await next(context);
    }

    private Dictionary<string, object?> Discovery()
    {
        var document = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["issuer"] = Authority,
            ["authorization_endpoint"] = $"{Authority}/authorize",
            ["token_endpoint"] = $"{Authority}/token",
            ["userinfo_endpoint"] = $"{Authority}/userinfo",
            ["jwks_uri"] = $"{Authority}/keys",
            ["response_types_supported"] = new[] { "code" },
            ["code_challenge_methods_supported"] = new[] { "S256" },
            ["authorization_response_iss_parameter_supported"] = true,
        };
        ChangeDiscovery?.Invoke(document);
        return document;
    }

    private IResult Authorize(HttpContext context)
    {
        var query = context.Request.Query;
        if (query["client_id"] != ClientId
            || query["response_type"] != "code"
            || query["code_challenge_method"] != "S256"
            || query["code_challenge"].ToString().Length != 43
            || query["redirect_uri"].ToString() is not { Length: > 0 } redirect)
        {
            return Results.BadRequest();
        }

        var back = new Dictionary<string, string?>(StringComparer.Ordinal) { ["state"] = query["state"], ["iss"] = Authority };
        if (AuthorizationError is { } error)
        {
            back["error"] = error;
        }
        else
        {
            var code = Random();
            Codes.Add(code);
            codes[code] = new PendingCode(User, redirect, query["code_challenge"]!, query["nonce"], query["scope"].ToString());
            back["code"] = code;
        }

        return Results.Redirect(QueryHelpers.AddQueryString(redirect, back));
    }

    private async Task<IResult> TokenAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        if (TokenError is { } error)
        {
            return Results.Json(new { error, error_description = "as the test wants" }, statusCode: 400);
        }

        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClientId}:{Uri.EscapeDataString(ClientSecret)}"));
        if (context.Request.Headers.Authorization != basic && form["client_secret"] != ClientSecret)
        {
            return Results.Json(new { error = "invalid_client" }, statusCode: 401);
        }

        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString())));
        if (form["grant_type"] != "authorization_code"
            || !codes.TryRemove(form["code"].ToString(), out var pending)
            || pending.RedirectUri != form["redirect_uri"]
            || pending.Challenge != challenge)
        {
            return Results.Json(new { error = "invalid_grant" }, statusCode: 400);
        }

        var access = Random();
        accessTokens[access] = pending.User;
        return Results.Json(new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["access_token"] = access,
            ["token_type"] = "Bearer",
            ["expires_in"] = 300,
            ["id_token"] = pending.Scope.Split(' ').Contains("openid") ? IdToken(pending, access) : null,
        });
    }

    private string IdToken(PendingCode pending, string accessToken)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var claims = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["iss"] = Authority,
            ["sub"] = pending.User.Subject,
            ["aud"] = ClientId,
            ["iat"] = now,
            ["exp"] = now + 300,
            ["nonce"] = pending.Nonce,
            ["at_hash"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)).AsSpan(0, 16)),
        };
        if (!ClaimsOnlyInUserInfo)
        {
            Describe(pending.User, claims);
        }

        ChangeClaims?.Invoke(claims);
        var token = keys.Sign(Algorithm, claims);
        return ChangeToken?.Invoke(token) ?? token;
    }

    private IResult UserInfo(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.Ordinal) || !accessTokens.TryGetValue(header[7..], out var user))
        {
            return Results.Json(new { error = "invalid_token" }, statusCode: 401);
        }

        var info = new Dictionary<string, object?>(StringComparer.Ordinal) { ["sub"] = user.Subject };
        if (long.TryParse(user.Subject, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            info["id"] = number;
        }

        Describe(user, info);
        ChangeUserInfo?.Invoke(info);
        return Results.Json(info);
    }

    private static void Describe(ProviderUser user, Dictionary<string, object?> claims)
    {
        if (user.Email is not null)
        {
            claims["email"] = user.Email;
            claims["email_verified"] = user.EmailVerified;
        }

        if (user.Name is not null)
        {
            claims["name"] = user.Name;
        }
    }

    private static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    private sealed record PendingCode(ProviderUser User, string RedirectUri, string Challenge, string? Nonce, string Scope);
}
