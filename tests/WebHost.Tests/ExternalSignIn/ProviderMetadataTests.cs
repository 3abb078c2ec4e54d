using System.Text.Json;
using Maintenance.Testing;
using Maintenance.WebHost.ExternalSignIn;
using Maintenance.WebHost.ExternalSignIn.OpenId;

namespace Maintenance.WebHost.Tests.ExternalSignIn;

/// <summary>What the provider publishes about itself: read once, kept while it is away, refused when it leads elsewhere.</summary>
public sealed class ProviderMetadataTests : ProviderClientTestBase
{
    [Fact]
    public async Task Metadata_IsReadOnceForAllWhoWait_AndUsedWhileTheProviderIsAway()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AuthorizationUrlAsync(SignInSecrets.Create())));
        Provider.RequestsOf("/.well-known/openid-configuration").ShouldBe(1);

        Clock.Advance(TimeSpan.FromHours(2));
        Provider.Broken.Add("/.well-known/openid-configuration");
        (await SignInAsync()).Subject.ShouldBe("subject-1");

        Clock.Advance(TimeSpan.FromHours(23));
        await RefusesAsync("answered 500", ExternalSignInError.ProviderUnavailable);
    }

    [Fact]
    public async Task SilentProvider_IsAskedByOneCaller_AndTheOthersShareItsFailure_OrWhatItSaidLast()
    {
        const string Discovery = "/.well-known/openid-configuration";
        Provider.Silent.Add(Discovery);
        var waiting = Enumerable.Range(0, 10).Select(_ => AuthorizationUrlAsync(SignInSecrets.Create())).ToList();
        await Eventually.TrueAsync(() => Provider.RequestsOf(Discovery) == 1);
        Clock.Advance(TimeSpan.FromSeconds(11));
        foreach (var caller in waiting)
        {
            (await Should.ThrowAsync<ExternalSignInException>(caller.WaitAsync(TimeSpan.FromSeconds(60)))).Error.ShouldBe(ExternalSignInError.ProviderUnavailable);
        }

        Provider.RequestsOf(Discovery).ShouldBe(1);
        Provider.Silent.Clear();
        Clock.Advance(TimeSpan.FromSeconds(11));
        await AuthorizationUrlAsync(SignInSecrets.Create());

        Clock.Advance(TimeSpan.FromHours(2));
        Provider.Silent.Add(Discovery);
        var first = AuthorizationUrlAsync(SignInSecrets.Create());
        await Eventually.TrueAsync(() => Provider.RequestsOf(Discovery) == 3);
        // While that one waits, and for a while after it, nobody else does.
        await AuthorizationUrlAsync(SignInSecrets.Create()).WaitAsync(TimeSpan.FromSeconds(60));
        first.IsCompleted.ShouldBeFalse();
        Clock.Advance(TimeSpan.FromSeconds(11));
        await first.WaitAsync(TimeSpan.FromSeconds(60));
        await AuthorizationUrlAsync(SignInSecrets.Create()).WaitAsync(TimeSpan.FromSeconds(60));
        Provider.RequestsOf(Discovery).ShouldBe(3);
    }

    [Theory]
    [InlineData("issuer", "https://evil.example", "another issuer")]
    [InlineData("token_endpoint", "http://evil.example/token", "https")]
    [InlineData("token_endpoint", null, "no token_endpoint")]
    [InlineData("jwks_uri", "file:///etc/passwd", "https")]
    public async Task Metadata_IsRefused_WhenItLeadsElsewhere(string field, string? value, string reason)
    {
        Provider.ChangeDiscovery = document => document[field] = value;

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

    [Fact]
    public async Task Callback_MustNameItsIssuer_WhenTheProviderSaysThatItDoes()
    {
        (await Client.IsIssuerAsync(Settings, Provider.Authority, CancellationToken.None)).ShouldBeTrue();
        (await Client.IsIssuerAsync(Settings, null, CancellationToken.None)).ShouldBeFalse();
        (await Client.IsIssuerAsync(Settings, "https://evil.example", CancellationToken.None)).ShouldBeFalse();
    }
}
