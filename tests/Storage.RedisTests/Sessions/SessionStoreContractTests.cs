using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <summary>The contract on Redis.</summary>
public sealed class RedisSessionStoreContractTests(RedisFixture redis) : ServerSessionStoreContract(redis.Server.Url), IClassFixture<RedisFixture>;

/// <summary>The contract on Redis under a key prefix and in record format 2, and nothing lies outside the prefix.</summary>
public sealed class PrefixedSessionStoreContractTests(RedisFixture redis)
    : ServerSessionStoreContract(redis.Server.Url, "my-app:", recordFormat: 2), IClassFixture<RedisFixture>
{
    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        (await redis.Server.KeysAsync()).ShouldAllBe(key => key.StartsWith("my-app:"));
    }
}

/// <summary>The contract on the store that the demo embeds.</summary>
public sealed class GarnetSessionStoreContractTests(GarnetFixture garnet) : ServerSessionStoreContract(garnet.Server.Url), IClassFixture<GarnetFixture>;

/// <summary>The contract on a server.</summary>
public abstract class ServerSessionStoreContract(string url, string keyPrefix = "", int? recordFormat = null) : SessionStoreContract, IAsyncLifetime
{
    private readonly List<StoreHarness> harnesses = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public virtual async Task DisposeAsync()
    {
        foreach (var harness in harnesses)
        {
            await harness.DisposeAsync();
        }
    }

    protected override ISessionStore NewStore(SessionOptions options)
    {
        options.RecordFormat = recordFormat ?? options.RecordFormat;
        var redis = StoreHarness.Patient(url);
        redis.KeyPrefix = keyPrefix;
        var harness = new StoreHarness(redis, options);
        harnesses.Add(harness);
        return harness.Store;
    }
}
