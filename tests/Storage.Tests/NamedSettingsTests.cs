using Maintenance.Storage.RateLimiting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Tests;

public sealed class NamedSettingsTests
{
    [Theory]
    [InlineData("Storage:RateLimits:login:Permits", "five")]
    [InlineData("Storage:RateLimits:login:Period", "a minute")]
    [InlineData("Storage:RateLimits:login:Penalty:Threshold", "many")]
    [InlineData("Storage:RateLimits:login:Permit", "5")]
    public void WrongValue_OfAPolicy_IsNamed_InsteadOfBeingTheDefault(string setting, string value) =>
        Should.Throw<InvalidOperationException>(() => Limits((setting, value))).Message.ShouldContain(setting);

    [Fact]
    public void Entries_KeepWhatIsNotSet_AndNewOnesAreMade()
    {
        var limits = Limits(("Storage:RateLimits:default:Burst", "7"), ("Storage:RateLimits:login:Permits", "5"));
        (limits.Policies["default"].Permits, limits.Policies["default"].Burst).ShouldBe((100, 7));
        limits.Policies["login"].Permits.ShouldBe(5);
    }

    private static RateLimitOptions Limits(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.ToDictionary(setting => setting.Name, setting => (string?)setting.Value, StringComparer.Ordinal))
            .Build();
        using var provider = new ServiceCollection().AddLogging().AddAuthStorage(configuration).BuildServiceProvider();
        return provider.GetRequiredService<IOptions<RateLimitOptions>>().Value;
    }
}
