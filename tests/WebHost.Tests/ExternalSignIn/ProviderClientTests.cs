using System.Diagnostics;
using System.Text.Json;
using Maintenance.Testing;
using Maintenance.WebHost.ExternalSignIn;
using Maintenance.WebHost.ExternalSignIn.OpenId;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Maintenance.WebHost.Tests.ExternalSignIn;

/// <summary>The authorization code flow against a provider that is real, strict, and misbehaves on demand.</summary>
public sealed class ProviderClientTests : IAsyncLifetime
{
    private const string RedirectUri = "http://127.0.0.1/api/auth/external/acme/callback";
    private static readonly HttpClient Browser = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    private readonly ManualTimeProvider time = new(TimeProvider.System.GetUtcNow());
    private OpenIdProvider provider = null!;
    private ExternalProviderOptions settings = null!;
    private ServiceProvider services = null!;

    private ProviderClient Client => services.GetRequiredService<ProviderClient>();

    public async Task InitializeAsync()
    {
        provider = await OpenIdProvider.StartAsync(time);
        settings = new ExternalProviderOptions { Authority = provider.Authority, ClientId = provider.ClientId, ClientSecret = provider.ClientSecret };
        services = new ServiceCollection()
            .AddLogging()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
            .AddProviderClient()
            .Replace(ServiceDescriptor.Singleton<TimeProvider>(time))
            .BuildServiceProvider();
    }

    public async Task DisposeAsync()
    {
        await services.DisposeAsync();
        await provider.DisposeAsync();
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("ES256")]
    public async Task Identify_TellsWhoSignedIn(string algorithm)
    {
        provider.Algorithm = algorithm;

        (await SignInAsync()).ShouldBe(new ExternalIdentity("acme", "subject-1", "anna@example.org", EmailVerified: true, "Anna"));
    }

    [Fact]
    public async Task Identify_AsksForUserInfo_WhenTheTokenDoesNotTellTheAddress()
    {
        provider.ClaimsOnlyInUserInfo = true;

        (await SignInAsync()).Email.ShouldBe("anna@example.org");
        provider.RequestsOf("/userinfo").ShouldBe(1);
    }

    [Fact]
    public async Task Identify_RefusesUserInfoOfAnotherUser()
    {
        provider.ClaimsOnlyInUserInfo = true;
        provider.ChangeUserInfo = info => info["sub"] = "somebody-else";

        await RefusesAsync("another user");
    }

    [Theory]
    [InlineData("none")]
    [InlineData("HS256")]
    public async Task Identify_RefusesATokenThatIsNotSignedByAKeyOfTheProvider(string algorithm)
    {
        provider.Algorithm = algorithm;

        await RefusesAsync("RS256 or ES256");
    }

    [Fact]
    public async Task Identify_RefusesAChangedToken()
    {
        provider.ChangeToken = token =>
        {
            var parts = token.Split('.');
            var body = System.Text.Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1])).Replace("subject-1", "subject-2", StringComparison.Ordinal);
            return $"{parts[0]}.{System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(body))}.{parts[2]}";
        };

        await RefusesAsync("signature");
    }

    [Theory]
    [InlineData("iss", "https://evil.example", "another issuer")]
    [InlineData("aud", "another-client", "another client")]
    [InlineData("azp", "another-client", "another client")]
    [InlineData("nonce", "wrong", "not made for this sign-in")]
    [InlineData("nonce", null, "not made for this sign-in")]
    [InlineData("at_hash", "wrong", "another access token")]
    [InlineData("sub", "", "names no user")]
    [InlineData("sub", "a\u0000b", "names no user")]
    [InlineData("sub", "a\u2028b", "names no user")]
    [InlineData("exp", null, "expired")]
    [InlineData("iat", null, "issued")]
    [InlineData("exp", "tomorrow", "expired")]
    public async Task Identify_RefusesATokenWithAWrongClaim(string claim, string? value, string reason)
    {
        provider.ChangeClaims = claims => claims[claim] = value;

        await RefusesAsync(reason);
    }

    [Fact]
    public async Task Identify_RefusesAudiencesBesideOurs_UnlessTheTokenIsForUsByName()
    {
        provider.ChangeClaims = claims => claims["aud"] = new[] { provider.ClientId, "another-client" };
        await RefusesAsync("another client");

        provider.ChangeClaims = claims =>
        {
            claims["aud"] = new[] { provider.ClientId, "another-client" };
            claims["azp"] = provider.ClientId;
        };
        (await SignInAsync()).Subject.ShouldBe("subject-1");
    }

    [Theory]
    [InlineData("exp", -59, true)]
    [InlineData("exp", -61, false)]
    [InlineData("iat", 59, true)]
    [InlineData("iat", 61, false)]
    [InlineData("nbf", 59, true)]
    [InlineData("nbf", 61, false)]
    [InlineData("iat", -90_000, false)]
    public async Task Identify_ToleratesAClockThatIsAMinuteOff_AndNoMore(string claim, int seconds, bool valid)
    {
        provider.ChangeClaims = claims => claims[claim] = time.GetUtcNow().ToUnixTimeSeconds() + seconds;

        if (valid)
        {
            (await SignInAsync()).Subject.ShouldBe("subject-1");
        }
        else
        {
            await RefusesAsync("The id token");
        }
    }

    [Fact]
    public async Task Identify_ReadsTheKeysAgain_WhenTheProviderHasChangedThem()
    {
        await SignInAsync();
        provider.RotateKeys();
        time.Advance(TimeSpan.FromSeconds(31));

        (await SignInAsync()).Subject.ShouldBe("subject-1");
        provider.RequestsOf("/keys").ShouldBe(2);
    }

    [Fact]
    public async Task Identify_AsksForUnknownKeysNotOftenerThanTheInterval()
    {
        await SignInAsync();
        provider.RotateKeys();

        for (var i = 0; i < 5; i++)
        {
            await RefusesAsync("does not publish");
        }

        provider.RequestsOf("/keys").ShouldBe(1);
    }

    [Fact]
    public async Task Metadata_IsReadOnceForAllWhoWait_AndUsedWhileTheProviderIsAway()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AuthorizationUrlAsync(SignInSecrets.Create())));
        provider.RequestsOf("/.well-known/openid-configuration").ShouldBe(1);

        time.Advance(TimeSpan.FromHours(2));
        provider.Broken.Add("/.well-known/openid-configuration");
        (await SignInAsync()).Subject.ShouldBe("subject-1");

        time.Advance(TimeSpan.FromHours(23));
        await RefusesAsync("answered 500", ExternalSignInError.ProviderUnavailable);
    }

    [Fact]
    public async Task SilentProvider_IsAskedByOneCaller_AndTheOthersShareItsFailure_OrWhatItSaidLast()
    {
        const string Discovery = "/.well-known/openid-configuration";
        provider.Silent.Add(Discovery);
        var waiting = Enumerable.Range(0, 10).Select(_ => AuthorizationUrlAsync(SignInSecrets.Create())).ToList();
        await Eventually.TrueAsync(() => provider.RequestsOf(Discovery) == 1);
        time.Advance(TimeSpan.FromSeconds(11));
        foreach (var caller in waiting)
        {
            (await Should.ThrowAsync<ExternalSignInException>(caller.WaitAsync(TimeSpan.FromSeconds(60)))).Error.ShouldBe(ExternalSignInError.ProviderUnavailable);
        }

        provider.RequestsOf(Discovery).ShouldBe(1);
        provider.Silent.Clear();
        time.Advance(TimeSpan.FromSeconds(11));
        await AuthorizationUrlAsync(SignInSecrets.Create());

        time.Advance(TimeSpan.FromHours(2));
        provider.Silent.Add(Discovery);
        var first = AuthorizationUrlAsync(SignInSecrets.Create());
        await Eventually.TrueAsync(() => provider.RequestsOf(Discovery) == 3);
        // While that one waits, and for a while after it, nobody else does.
        await AuthorizationUrlAsync(SignInSecrets.Create()).WaitAsync(TimeSpan.FromSeconds(60));
        first.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(11));
        await first.WaitAsync(TimeSpan.FromSeconds(60));
        await AuthorizationUrlAsync(SignInSecrets.Create()).WaitAsync(TimeSpan.FromSeconds(60));
        provider.RequestsOf(Discovery).ShouldBe(3);
    }

    [Theory]
    [InlineData("/token")]
    [InlineData("/.well-known/openid-configuration")]
    [InlineData("/keys")]
    public async Task SignIn_SaysThatTheProviderIsUnavailable_WhenItAnswersWithAnError(string path)
    {
        provider.Broken.Add(path);

        await RefusesAsync("answered 500", ExternalSignInError.ProviderUnavailable);
    }

    [Fact]
    public async Task SignIn_EndsAtTheDeadline_WhenTheProviderIsSilent()
    {
        provider.Silent.Add("/token");
        var secrets = SignInSecrets.Create();
        var (code, _) = await ComeBackAsync(secrets);

        var pending = Client.IdentifyAsync("acme", settings, code, RedirectUri, secrets, CancellationToken.None);
        await Eventually.TrueAsync(() => provider.RequestsOf("/token") == 1);
        pending.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(11));

        (await Should.ThrowAsync<ExternalSignInException>(pending)).Error.ShouldBe(ExternalSignInError.ProviderUnavailable);
    }

    [Theory]
    [InlineData("invalid_grant", ExternalSignInError.InvalidResponse)]
    [InlineData("invalid_client", ExternalSignInError.ProviderUnavailable)]
    [InlineData("something_else", ExternalSignInError.ProviderUnavailable)]
    public async Task SignIn_TellsARefusedCodeFromARefusedClient(string error, object expected)
    {
        provider.TokenError = error;

        await RefusesAsync("The provider", (ExternalSignInError)expected);
    }

    [Fact]
    public async Task Code_IsWorthNothingWithoutTheVerifier_AndWorksOnce()
    {
        var secrets = SignInSecrets.Create();
        var (stolen, _) = await ComeBackAsync(secrets);
        (await Should.ThrowAsync<ExternalSignInException>(
            Client.IdentifyAsync("acme", settings, stolen, RedirectUri, SignInSecrets.Create(), CancellationToken.None))).Message.ShouldContain("code");

        var (code, _) = await ComeBackAsync(secrets);
        await Client.IdentifyAsync("acme", settings, code, RedirectUri, secrets, CancellationToken.None);
        await Should.ThrowAsync<ExternalSignInException>(Client.IdentifyAsync("acme", settings, code, RedirectUri, secrets, CancellationToken.None));
    }

    [Theory]
    [InlineData("issuer", "https://evil.example", "another issuer")]
    [InlineData("token_endpoint", "http://evil.example/token", "https")]
    [InlineData("token_endpoint", null, "no token_endpoint")]
    [InlineData("jwks_uri", "file:///etc/passwd", "https")]
    public async Task Metadata_IsRefused_WhenItLeadsElsewhere(string field, string? value, string reason)
    {
        provider.ChangeDiscovery = document => document[field] = value;

        await RefusesAsync(reason);
    }

    [Theory]
    [InlineData("token_endpoint", "http://127.0.0.1:8082/token")]
    [InlineData("jwks_uri", "http://localhost/keys")]
    [InlineData("userinfo_endpoint", "https://[::1]/me")]
    public void Metadata_OfAProviderElsewhere_IsRefused_WhenItLeadsToThisMachine(string field, string url)
    {
        const string authority = "https://accounts.example.org";
        var document = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["issuer"] = authority,
            ["authorization_endpoint"] = $"{authority}/authorize",
            ["token_endpoint"] = $"{authority}/token",
            ["jwks_uri"] = $"{authority}/keys",
        };
        ProviderMetadata.Read(authority, JsonSerializer.SerializeToElement(document)).KeysUri.ShouldBe(new Uri($"{authority}/keys"));

        document[field] = url;

        var exception = Should.Throw<ExternalSignInException>(() => ProviderMetadata.Read(authority, JsonSerializer.SerializeToElement(document)));
        (exception.Error, exception.Message).ShouldBe((ExternalSignInError.InvalidResponse, $"The provider's {field} is on this machine, and the provider is not."));
    }

    [Theory]
    [InlineData("a@b.org,c@d.org")]
    [InlineData("x y@z.org")]
    [InlineData("@example.org")]
    [InlineData("anna@example.org\u0000")]
    public async Task Address_ThatIsNone_IsNone_AndNotVerified(string email)
    {
        provider.User = new ProviderUser("subject-1", email, EmailVerified: true, "Anna");

        (await SignInAsync()).ShouldBe(new ExternalIdentity("acme", "subject-1", Email: null, EmailVerified: false, "Anna"));
    }

    [Fact]
    public async Task Callback_MustNameItsIssuer_WhenTheProviderSaysThatItDoes()
    {
        (await Client.IsIssuerAsync(settings, provider.Authority, CancellationToken.None)).ShouldBeTrue();
        (await Client.IsIssuerAsync(settings, null, CancellationToken.None)).ShouldBeFalse();
        (await Client.IsIssuerAsync(settings, "https://evil.example", CancellationToken.None)).ShouldBeFalse();
    }

    [Fact]
    public async Task PlainOAuth_TellsWhoSignedInByUserInfo_WithFieldsByConfiguration()
    {
        provider.User = new ProviderUser("4711", "bert@example.org", EmailVerified: false, "Bert");
        settings = new ExternalProviderOptions
        {
            AuthorizationEndpoint = $"{provider.Authority}/authorize",
            TokenEndpoint = $"{provider.Authority}/token",
            UserInfoEndpoint = $"{provider.Authority}/userinfo",
            ClientId = provider.ClientId,
            ClientSecret = provider.ClientSecret,
            SubjectField = "id",
        };

        (await SignInAsync()).ShouldBe(new ExternalIdentity("acme", "4711", "bert@example.org", EmailVerified: false, "Bert"));
        provider.RequestsOf("/.well-known/openid-configuration").ShouldBe(0);
    }

    [Fact]
    public async Task Exceptions_RepeatNoSecret()
    {
        provider.TokenError = "invalid_client";
        var secrets = SignInSecrets.Create();
        var (code, state) = await ComeBackAsync(secrets);

        var text = (await Should.ThrowAsync<ExternalSignInException>(
            Client.IdentifyAsync("acme", settings, code, RedirectUri, secrets, CancellationToken.None))).ToString() + secrets;

        foreach (var secret in new[] { code, state, secrets.CodeVerifier, secrets.Nonce, provider.ClientSecret })
        {
            text.ShouldNotContain(secret);
        }
    }

    private async Task RefusesAsync(string reason, ExternalSignInError error = ExternalSignInError.InvalidResponse)
    {
        var exception = await Should.ThrowAsync<ExternalSignInException>(SignInAsync());
        exception.Message.ShouldContain(reason);
        exception.Error.ShouldBe(error);
    }

    private async Task<ExternalIdentity> SignInAsync()
    {
        var secrets = SignInSecrets.Create();
        var (code, _) = await ComeBackAsync(secrets);
        return await Client.IdentifyAsync("acme", settings, code, RedirectUri, secrets, CancellationToken.None);
    }

    private async Task<(string Code, string State)> ComeBackAsync(SignInSecrets secrets)
    {
        using var response = await Browser.GetAsync(await AuthorizationUrlAsync(secrets));
        var query = QueryHelpers.ParseQuery(response.Headers.Location!.Query);
        query["state"].ToString().ShouldBe("the-state");
        return (query["code"].ToString(), query["state"].ToString());
    }

    private Task<Uri> AuthorizationUrlAsync(SignInSecrets secrets) =>
        Client.AuthorizationUrlAsync(settings, RedirectUri, "the-state", secrets, CancellationToken.None);
}
