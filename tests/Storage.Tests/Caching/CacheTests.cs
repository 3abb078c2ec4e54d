using Maintenance.Storage.Caching;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Profiles;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Tests.Caching;

public sealed class CacheTests
{
    [Theory]
    [InlineData("Life", "00:00:00")]
    [InlineData("NegativeLife", "01:00:00")]
    [InlineData("Jitter", "0.6")]
    [InlineData("LocalLife", "00:02:00")]
    [InlineData("LocalEntries", "0")]
    [InlineData("LeaseLife", "00:00:00")]
    [InlineData("LeaseWait", "-00:00:01")]
    [InlineData("MaxBytes", "0")]
    public void Start_NamesAWrongCacheSetting(string setting, string value)
    {
        using var provider = Host(($"Storage:Cache:{setting}", value));

        Should.Throw<OptionsValidationException>(() => provider.GetRequiredService<IOptions<CacheOptions>>().Value)
            .Message.ShouldContain($"Storage:Cache:{setting} ");
    }

    [Theory]
    [InlineData("Fields:0", " ", "Fields")]
    [InlineData("Life", "00:00:00", "Life")]
    public void Start_NamesAWrongProfileSetting(string setting, string value, string named)
    {
        using var provider = Host(($"Storage:Profiles:{setting}", value));

        Should.Throw<OptionsValidationException>(() => provider.GetRequiredService<IOptions<ProfileOptions>>().Value)
            .Message.ShouldContain($"Storage:Profiles:{named} ");
    }

    [Fact]
    public async Task Instrumented_CountsLookups_ProfilesApart()
    {
        using var factory = new TestMeterFactory();
        using var lookups = new MetricCollector<long>(factory, "authstore.lookups");
        using var durations = new MetricCollector<double>(factory, "authstore.operation.duration");
        using var memory = new MemoryCacheStore(new FixedOptions<MemoryOptions>(new MemoryOptions()), TimeProvider.System);
        var store = new InstrumentedCacheStore(memory, new AuthStoreMetrics(factory), TimeProvider.System);
        var (key, profile) = (CacheKey.Of("k"), CacheKey.Profile(UserReference.Of("u")));
        var minute = TimeSpan.FromMinutes(1);

        await store.ReadAsync(profile, CancellationToken.None);
        var begun = await store.BeginAsync(key, minute, minute, CancellationToken.None);
        await store.CompleteAsync(begun.Lease!, [1], minute, CancellationToken.None);
        await store.ReadAsync(key, CancellationToken.None);

        lookups.Sum(("store", "cache"), ("result", "hit")).ShouldBe(1);
        lookups.Sum(("store", "profile"), ("result", "miss")).ShouldBe(1);
        durations.Measurements.Select(measurement => measurement.Tags["operation"]).ShouldBe(["read", "begin", "complete", "read"]);
    }

    private static ServiceProvider Host(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(pair => pair.Name, pair => (string?)pair.Value)).Build();
        return new ServiceCollection().AddLogging().AddAuthStorage(configuration).BuildServiceProvider();
    }
}
