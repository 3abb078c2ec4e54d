using Maintenance.Storage.Denylist;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Tests.Denylist;

public sealed class DenylistTests
{
    [Fact]
    public void OfToken_NamesATokenWithoutHoldingIt()
    {
        var id = DenylistId.OfToken("secret");

        // echo -n secret | sha256sum, first 16 bytes.
        id.Value.ShouldBe("K7gNU3sdo-OL0wNhqoVWhg");
        DenylistId.OfTokenId("secret").ShouldBe(id);
        DenylistId.OfToken("secret ").ShouldNotBe(id);
        id.ToLogString().ShouldBe("K7gNU3sdo-");
    }

    [Fact]
    public void OfToken_RefusesWhatIsNoText()
    {
        Should.Throw<ArgumentException>(() => DenylistId.OfToken(""));
        Should.Throw<ArgumentException>(() => DenylistId.OfToken("half a pair " + '\ud800'));
    }

    [Fact]
    public void OfToken_RefusesWhatIsLongerThanAnyToken() =>
        Should.Throw<ArgumentException>(() => DenylistId.OfToken(new string('a', DenylistId.MaxTokenBytes + 1)));

    [Theory]
    [InlineData("ClockSkew", "-00:00:01")]
    [InlineData("ClockSkew", "02:00:00")]
    [InlineData("DefaultLife", "00:00:00")]
    [InlineData("DefaultLife", "500.00:00:00")]
    [InlineData("LongestLife", "00:00:01")]
    public void Start_NamesAWrongSetting(string setting, string value)
    {
        using var provider = Host(($"Storage:Denylist:{setting}", value));

        Should.Throw<OptionsValidationException>(() => provider.GetRequiredService<IOptions<DenylistOptions>>().Value)
            .Message.ShouldContain($"Storage:Denylist:{setting} ");
    }

    [Fact]
    public void AddAuthStorage_KeepsTheDenylistInMemory_WhenRedisIsSwitchedOff()
    {
        using var provider = Host(("REDIS_ENABLED", "false"));
        var list = provider.GetRequiredService<ITokenDenylist>().ShouldBeOfType<InstrumentedTokenDenylist>();

        var id = DenylistId.OfToken("t");
        list.DenyAsync(id, null, null, CancellationToken.None).IsCompletedSuccessfully.ShouldBeTrue();

        provider.GetRequiredService<MemoryTokenDenylist>().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Instrumented_CountsLookupsAndErrors()
    {
        using var factory = new TestMeterFactory();
        using var lookups = new MetricCollector<long>(factory, "authstore.lookups");
        using var errors = new MetricCollector<long>(factory, "authstore.operation.errors");
        using var durations = new MetricCollector<double>(factory, "authstore.operation.duration");
        using var memory = new MemoryTokenDenylist(
            new FixedOptions<DenylistOptions>(new DenylistOptions()), new FixedOptions<MemoryOptions>(new MemoryOptions { MaxEntriesPerKind = 1 }), TimeProvider.System);
        var list = new InstrumentedTokenDenylist(memory, new AuthStoreMetrics(factory), TimeProvider.System);
        var denied = DenylistId.OfToken("denied");
        var other = DenylistId.OfToken("other");

        await list.DenyAsync(denied, null, null, CancellationToken.None);
        await list.IsDeniedAsync(denied, CancellationToken.None);
        await list.AreDeniedAsync([denied, other, other], CancellationToken.None);
        await list.FindAsync(other, CancellationToken.None);
        await Should.ThrowAsync<StorageUnavailableException>(() => list.DenyAsync(other, null, null, CancellationToken.None));

        lookups.Sum(("store", "denylist"), ("result", "denied")).ShouldBe(2);
        lookups.Sum(("store", "denylist"), ("result", "miss")).ShouldBe(3);
        errors.Sum(("store", "denylist"), ("operation", "deny"), ("error_type", "out_of_memory")).ShouldBe(1);
        durations.Measurements.Select(measurement => measurement.Tags["operation"]).ShouldBe(["deny", "is_denied", "are_denied", "find", "deny"]);
    }

    private static ServiceProvider Host(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(pair => pair.Name, pair => (string?)pair.Value)).Build();
        return new ServiceCollection().AddLogging().AddAuthStorage(configuration).BuildServiceProvider();
    }
}
