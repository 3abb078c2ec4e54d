using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Memory;
using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Tests.RateLimiting;

public sealed class RateLimitOptionsTests
{
    [Fact]
    public void Policies_AreReadFromConfigurationBesideTheDefault()
    {
        using var provider = Host(
            ("Storage:RateLimits:login:Permits", "5"),
            ("Storage:RateLimits:login:Period", "00:15:00"),
            ("Storage:RateLimits:login:Penalty:Threshold", "3"),
            ("Storage:RateLimits:default:Burst", "10"));

        var policies = provider.GetRequiredService<IOptions<RateLimitOptions>>().Value.Policies;

        policies.Keys.Order().ShouldBe(["default", "login"]);
        (policies["login"].Permits, policies["login"].Period, policies["login"].Penalty.Threshold).ShouldBe((5, TimeSpan.FromMinutes(15), 3));
        (policies["default"].Permits, policies["default"].Period, policies["default"].Burst).ShouldBe((100, TimeSpan.FromMinutes(1), 10));
    }

    [Theory]
    [InlineData("login:Permits", "0")]
    [InlineData("login:Permits", "1000001")]
    [InlineData("login:Period", "00:00:00")]
    [InlineData("login:Period", "40.00:00:00")]
    [InlineData("login:Burst", "0")]
    [InlineData("login:Burst", "10000001")]
    [InlineData("login:OutageShare", "0")]
    [InlineData("login:OutageShare", "1.1")]
    [InlineData("login:Penalty:Threshold", "-1")]
    [InlineData("login:Penalty:FirstBlock", "00:00:00")]
    [InlineData("login:Penalty:LongestBlock", "00:00:01")]
    [InlineData("login:Penalty:Decay", "00:00:00")]
    public void Start_NamesAWrongSetting(string setting, string value)
    {
        using var provider = Host(($"Storage:RateLimits:{setting}", value));

        Should.Throw<OptionsValidationException>(() => provider.GetRequiredService<IOptions<RateLimitOptions>>().Value)
            .Message.ShouldContain($"Storage:RateLimits:{setting} ");
    }

    [Fact]
    public void Start_NamesABurstThatTakesMoreThanAYearToComeBack()
    {
        using var provider = Host(("Storage:RateLimits:login:Period", "31.00:00:00"), ("Storage:RateLimits:login:Burst", "1200"));

        Should.Throw<OptionsValidationException>(() => provider.GetRequiredService<IOptions<RateLimitOptions>>().Value)
            .Message.ShouldContain("Storage:RateLimits:login:Burst is 1200");
    }

    [Theory]
    [InlineData("Login")]
    [InlineData("log in")]
    [InlineData("{x}")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void Start_NamesAPolicyWhoseNameCannotStandInAKey(string name)
    {
        using var provider = Host(($"Storage:RateLimits:{name}:Permits", "5"));

        Should.Throw<OptionsValidationException>(() => provider.GetRequiredService<IOptions<RateLimitOptions>>().Value)
            .Message.ShouldContain($"Storage:RateLimits:{name} ");
    }

    [Fact]
    public async Task Instrumented_CountsDecisionsByPolicy()
    {
        using var factory = new TestMeterFactory();
        using var decisions = new MetricCollector<long>(factory, "authstore.ratelimit.decisions");
        var options = new FixedOptions<RateLimitOptions>(new RateLimitOptions
        {
            Policies = { ["p"] = new RateLimitPolicy { Permits = 1, Period = TimeSpan.FromDays(1), Penalty = { Threshold = 2 } } },
        });
        using var memory = new MemoryRateLimitStore(options, new FixedOptions<MemoryOptions>(new MemoryOptions()), TimeProvider.System);
        var metrics = new AuthStoreMetrics(factory);
        metrics.Prime(new PrimedStore("ratelimits", InstrumentedRateLimitStore.Operations, CountsLookups: false) { RateLimitPolicies = ["p"] });
        decisions.Measurements.Select(measurement => measurement.Tags["decision"]).ShouldBe(["allowed", "denied", "penalized", "error"]);
        var store = new InstrumentedRateLimitStore(memory, metrics, TimeProvider.System);

        for (var i = 0; i < 4; i++)
        {
            await store.AcquireAsync(new("p", "s"), CancellationToken.None);
        }

        await store.PeekAsync("p", "s", CancellationToken.None);
        await Should.ThrowAsync<ArgumentException>(() => store.AcquireAsync(new("not a policy", "s"), CancellationToken.None));
        await Should.ThrowAsync<StorageUnavailableException>(
            () => new InstrumentedRateLimitStore(new SilentStore(), metrics, TimeProvider.System).AcquireAsync(new("p", "s"), CancellationToken.None));

        decisions.Sum(("policy", "p"), ("decision", "allowed")).ShouldBe(1);
        decisions.Sum(("policy", "p"), ("decision", "denied")).ShouldBe(1);
        decisions.Sum(("policy", "p"), ("decision", "penalized")).ShouldBe(2);
        decisions.Sum(("policy", "p"), ("decision", "error")).ShouldBe(1);
        decisions.Sum(("policy", "not a policy")).ShouldBe(0);
    }

    private static ServiceProvider Host(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(pair => pair.Name, pair => (string?)pair.Value)).Build();
        return new ServiceCollection().AddLogging().AddAuthStorage(configuration).BuildServiceProvider();
    }
}

/// <summary>A store whose Redis is away.</summary>
internal sealed class SilentStore : IRateLimitStore
{
    private static readonly StorageUnavailableException Away = new(UnavailableReason.Deadline, "away");

    public Task<RateLimitResult> AcquireAsync(RateLimitRequest request, CancellationToken cancellationToken) => Task.FromException<RateLimitResult>(Away);

    public Task<RateLimitResult> PeekAsync(string policy, string subject, CancellationToken cancellationToken) => Task.FromException<RateLimitResult>(Away);

    public Task<bool> RefundAsync(RateLimitRequest request, RateLimitResult charged, CancellationToken cancellationToken) => Task.FromException<bool>(Away);

    public Task<bool> ResetAsync(string policy, string subject, CancellationToken cancellationToken) => Task.FromException<bool>(Away);
}
