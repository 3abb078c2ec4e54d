using Maintenance.Storage;
using Maintenance.Storage.Analytics;
using Maintenance.Storage.Denylist;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Worker.RedisTests;

/// <summary>Every kind of state as a host has it, on a server that the jobs sweep.</summary>
internal sealed class KindsHarness : IAsyncDisposable
{
    private readonly ServiceProvider provider;

    public KindsHarness(RespServer server, string prefix = "")
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
        [
            new("Storage:Redis:Url", server.Url), new("Storage:Redis:KeyPrefix", prefix),
            new("Storage:Redis:Deadline", $"{JobHarness.Patience}"), new("Storage:Redis:ConnectTimeout", $"{JobHarness.Patience}"),
        ]).Build();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddAuthStorage(configuration);
        provider = services.BuildServiceProvider();
    }

    public ISessionStore Sessions => Get<ISessionStore>();

    public IRefreshTokenStore Families => Get<IRefreshTokenStore>();

    public ITwoFactorStore TwoFactor => Get<ITwoFactorStore>();

    public IOneTimeTokenStore OneTime => Get<IOneTimeTokenStore>();

    public ITokenDenylist Denylist => Get<ITokenDenylist>();

    public IAnalyticsStore Analytics => Get<IAnalyticsStore>();

    public T Get<T>()
        where T : notnull => provider.GetRequiredService<T>();

    public ValueTask DisposeAsync() => provider.DisposeAsync();
}
