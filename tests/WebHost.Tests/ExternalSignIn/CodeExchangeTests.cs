using Maintenance.Testing;
using Maintenance.WebHost.ExternalSignIn;
using Maintenance.WebHost.ExternalSignIn.OpenId;

namespace Maintenance.WebHost.Tests.ExternalSignIn;

/// <summary>The exchange of the code: its verifier, its errors, its deadline, and no secret in what is thrown.</summary>
public sealed class CodeExchangeTests : ProviderClientTestBase
{
    [Theory]
    [InlineData("/token")]
    [InlineData("/.well-known/openid-configuration")]
    [InlineData("/keys")]
    public async Task SignIn_SaysThatTheProviderIsUnavailable_WhenItAnswersWithAnError(string path)
    {
        Provider.Broken.Add(path);

        await RefusesAsync("answered 500", ExternalSignInError.ProviderUnavailable);
    }

    [Fact]
    public async Task SignIn_EndsAtTheDeadline_WhenTheProviderIsSilent()
    {
        Provider.Silent.Add("/token");
        var secrets = SignInSecrets.Create();
        var (code, _) = await ComeBackAsync(secrets);

        var pending = Client.IdentifyAsync("acme", Settings, code, RedirectUri, secrets, CancellationToken.None);
        await Eventually.TrueAsync(() => Provider.RequestsOf("/token") == 1);
        pending.IsCompleted.ShouldBeFalse();
        Clock.Advance(TimeSpan.FromSeconds(11));

        (await Should.ThrowAsync<ExternalSignInException>(pending)).Error.ShouldBe(ExternalSignInError.ProviderUnavailable);
    }

    [Theory]
    [InlineData("invalid_grant", ExternalSignInError.InvalidResponse)]
    [InlineData("invalid_client", ExternalSignInError.ProviderUnavailable)]
    [InlineData("something_else", ExternalSignInError.ProviderUnavailable)]
    public async Task SignIn_TellsARefusedCodeFromARefusedClient(string error, object expected)
    {
        Provider.TokenError = error;

        await RefusesAsync("The provider", (ExternalSignInError)expected);
    }

    [Fact]
    public async Task Code_IsWorthNothingWithoutTheVerifier_AndWorksOnce()
    {
        var secrets = SignInSecrets.Create();
        var (stolen, _) = await ComeBackAsync(secrets);
        (await Should.ThrowAsync<ExternalSignInException>(
            Client.IdentifyAsync("acme", Settings, stolen, RedirectUri, SignInSecrets.Create(), CancellationToken.None))).Message.ShouldContain("code");

        var (code, _) = await ComeBackAsync(secrets);
        await Client.IdentifyAsync("acme", Settings, code, RedirectUri, secrets, CancellationToken.None);
        await Should.ThrowAsync<ExternalSignInException>(Client.IdentifyAsync("acme", Settings, code, RedirectUri, secrets, CancellationToken.None));
    }

    [Fact]
    public async Task Exceptions_RepeatNoSecret()
    {
        Provider.TokenError = "invalid_client";
        var secrets = SignInSecrets.Create();
        var (code, state) = await ComeBackAsync(secrets);

        var text = (await Should.ThrowAsync<ExternalSignInException>(
            Client.IdentifyAsync("acme", Settings, code, RedirectUri, secrets, CancellationToken.None))).ToString() + secrets;

        foreach (var secret in new[] { code, state, secrets.CodeVerifier, secrets.Nonce, Provider.ClientSecret })
        {
            text.ShouldNotContain(secret);
        }
    }
}
