using Maintenance.Testing;
using Maintenance.WebHost.ExternalSignIn;

namespace Maintenance.WebHost.Tests.ExternalSignIn;

/// <summary>Who signed in, by the id token, by user info, and by plain OAuth.</summary>
public sealed class IdentityTests : ProviderClientTestBase
{
    [Theory]
    [InlineData("RS256")]
    [InlineData("ES256")]
    public async Task Identify_TellsWhoSignedIn(string algorithm)
    {
        Provider.Algorithm = algorithm;

        (await SignInAsync()).ShouldBe(new ExternalIdentity("acme", "subject-1", "anna@example.org", EmailVerified: true, "Anna"));
    }

    [Fact]
    public async Task Identify_AsksForUserInfo_WhenTheTokenDoesNotTellTheAddress()
    {
        Provider.ClaimsOnlyInUserInfo = true;

        (await SignInAsync()).Email.ShouldBe("anna@example.org");
        Provider.RequestsOf("/userinfo").ShouldBe(1);
    }

    [Fact]
    public async Task Identify_RefusesUserInfoOfAnotherUser()
    {
        Provider.ClaimsOnlyInUserInfo = true;
        Provider.ChangeUserInfo = info => info["sub"] = "somebody-else";

        await RefusesAsync("another user");
    }

    [Theory]
    [InlineData("a@b.org,c@d.org")]
    [InlineData("x y@z.org")]
    [InlineData("@example.org")]
    [InlineData("anna@example.org\u0000")]
    public async Task Address_ThatIsNone_IsNone_AndNotVerified(string email)
    {
        Provider.User = new ProviderUser("subject-1", email, EmailVerified: true, "Anna");

        (await SignInAsync()).ShouldBe(new ExternalIdentity("acme", "subject-1", Email: null, EmailVerified: false, "Anna"));
    }

    [Fact]
    public async Task PlainOAuth_TellsWhoSignedInByUserInfo_WithFieldsByConfiguration()
    {
        Provider.User = new ProviderUser("4711", "bert@example.org", EmailVerified: false, "Bert");
        Settings = new ExternalProviderOptions
        {
            AuthorizationEndpoint = $"{Provider.Authority}/authorize",
            TokenEndpoint = $"{Provider.Authority}/token",
            UserInfoEndpoint = $"{Provider.Authority}/userinfo",
            ClientId = Provider.ClientId,
            ClientSecret = Provider.ClientSecret,
            SubjectField = "id",
        };

        (await SignInAsync()).ShouldBe(new ExternalIdentity("acme", "4711", "bert@example.org", EmailVerified: false, "Bert"));
        Provider.RequestsOf("/.well-known/openid-configuration").ShouldBe(0);
    }
}
