using Maintenance.Testing;
using Maintenance.WebHost.ExternalSignIn;
using Maintenance.WebHost.ExternalSignIn.OpenId;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Maintenance.WebHost.Tests.ExternalSignIn;

/// <summary>The authorization code flow against a provider that is real, strict, and misbehaves on demand.</summary>
public abstract class ProviderClientTestBase : IAsyncLifetime
{
    private protected const string RedirectUri = "http://127.0.0.1/api/auth/external/acme/callback";
    private static readonly HttpClient Browser = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    private ServiceProvider services = null!;

    private protected ManualTimeProvider Clock { get; } = new(TimeProvider.System.GetUtcNow());

    private protected OpenIdProvider Provider { get; private set; } = null!;

    private protected ExternalProviderOptions Settings { get; set; } = null!;

    private protected ProviderClient Client => services.GetRequiredService<ProviderClient>();

    public async Task InitializeAsync()
    {
        Provider = await OpenIdProvider.StartAsync(Clock);
        Settings = new ExternalProviderOptions { Authority = Provider.Authority, ClientId = Provider.ClientId, ClientSecret = Provider.ClientSecret };
        services = new ServiceCollection()
            .AddLogging()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
            .AddProviderClient()
            .Replace(ServiceDescriptor.Singleton<TimeProvider>(Clock))
            .BuildServiceProvider();
    }

    public async Task DisposeAsync()
    {
        await services.DisposeAsync();
        await Provider.DisposeAsync();
    }

    private protected async Task RefusesAsync(string reason, ExternalSignInError error = ExternalSignInError.InvalidResponse)
    {
        var exception = await Should.ThrowAsync<ExternalSignInException>(SignInAsync());
        exception.Message.ShouldContain(reason);
        exception.Error.ShouldBe(error);
    }

    private protected async Task<ExternalIdentity> SignInAsync()
    {
        var secrets = SignInSecrets.Create();
        var (code, _) = await ComeBackAsync(secrets);
        return await Client.IdentifyAsync("acme", Settings, code, RedirectUri, secrets, CancellationToken.None);
    }

    private protected async Task<(string Code, string State)> ComeBackAsync(SignInSecrets secrets)
    {
        using var response = await Browser.GetAsync(await AuthorizationUrlAsync(secrets));
        var query = QueryHelpers.ParseQuery(response.Headers.Location!.Query);
        query["state"].ToString().ShouldBe("the-state");
        return (query["code"].ToString(), query["state"].ToString());
    }

    private protected Task<Uri> AuthorizationUrlAsync(SignInSecrets secrets) =>
        Client.AuthorizationUrlAsync(Settings, RedirectUri, "the-state", secrets, CancellationToken.None);
}
