using Maintenance.WebHost.ExternalSignIn;

namespace Maintenance.WebHost.Tests.ExternalSignIn;

/// <summary>Which id tokens are believed: signature, claims, clock, and the keys of the provider.</summary>
public sealed class IdTokenTests : ProviderClientTestBase
{
    [Theory]
    [InlineData("none")]
    [InlineData("HS256")]
    public async Task Identify_RefusesATokenThatIsNotSignedByAKeyOfTheProvider(string algorithm)
    {
        Provider.Algorithm = algorithm;

        await RefusesAsync("RS256 or ES256");
    }

    [Fact]
    public async Task Identify_RefusesAChangedToken()
    {
        Provider.ChangeToken = token =>
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
        Provider.ChangeClaims = claims => claims[claim] = value;

        await RefusesAsync(reason);
    }

    [Fact]
    public async Task Identify_RefusesAudiencesBesideOurs_UnlessTheTokenIsForUsByName()
    {
        Provider.ChangeClaims = claims => claims["aud"] = new[] { Provider.ClientId, "another-client" };
        await RefusesAsync("another client");

        Provider.ChangeClaims = claims =>
        {
            claims["aud"] = new[] { Provider.ClientId, "another-client" };
            claims["azp"] = Provider.ClientId;
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
        Provider.ChangeClaims = claims => claims[claim] = Clock.GetUtcNow().ToUnixTimeSeconds() + seconds;

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
        Provider.RotateKeys();
        Clock.Advance(TimeSpan.FromSeconds(31));

        (await SignInAsync()).Subject.ShouldBe("subject-1");
        Provider.RequestsOf("/keys").ShouldBe(2);
    }

    [Fact]
    public async Task Identify_AsksForUnknownKeysNotOftenerThanTheInterval()
    {
        await SignInAsync();
        Provider.RotateKeys();

        for (var i = 0; i < 5; i++)
        {
            await RefusesAsync("does not publish");
        }

        Provider.RequestsOf("/keys").ShouldBe(1);
    }
}
