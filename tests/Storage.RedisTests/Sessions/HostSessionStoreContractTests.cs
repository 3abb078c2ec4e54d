using Maintenance.Storage.Memory;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <summary>The contract on the whole stack that <c>AddAuthStorage</c> gives to a host: measured, aware of families, switching between Redis and memory.</summary>
public abstract class HostSessionStoreContract(params (string Name, string Value)[] settings) : SessionStoreContract, IAsyncLifetime
{
    private readonly List<ServiceProvider> providers = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var provider in providers)
        {
            await provider.DisposeAsync();
        }
    }

    protected override ISessionStore NewStore(SessionOptions options)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddAuthStorage(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Concat([("Storage:Redis:Deadline", "00:00:30"), ("Storage:Redis:ConnectTimeout", "00:00:30")]).Select(setting => KeyValuePair.Create(setting.Item1, (string?)setting.Item2)))
            .Build());
        services.PostConfigure<SessionOptions>(bound =>
        {
            foreach (var property in typeof(SessionOptions).GetProperties())
            {
                property.SetValue(bound, property.GetValue(options));
            }
        });
        Share(services);
        var provider = services.BuildServiceProvider();
        providers.Add(provider);
        return provider.GetRequiredService<ISessionStore>();
    }

    /// <summary>What all stores of a test have in common beside the server.</summary>
    protected virtual void Share(IServiceCollection services)
    {
    }
}

/// <summary>On Redis.</summary>
public sealed class HostOnRedisSessionStoreContractTests(RedisFixture redis)
    : HostSessionStoreContract(("Storage:Redis:Url", redis.Server.Url)), IClassFixture<RedisFixture>;

/// <summary>Switched to this host's memory, with a Redis that is there and not asked.</summary>
public sealed class HostInMemorySessionStoreContractTests(RedisFixture redis)
    : HostSessionStoreContract(("Storage:Redis:Url", redis.Server.Url), ("Storage:Mode", "Memory")), IClassFixture<RedisFixture>
{
    private static readonly MemoryUsers Users = new(new MemoryOptions(), TimeProvider.System);
    private static readonly MemorySessions Held = new(Users, new MemoryOptions(), TimeProvider.System);

    protected override void Share(IServiceCollection services)
    {
        services.AddSingleton(Users);
        services.AddSingleton(Held);
    }
}
