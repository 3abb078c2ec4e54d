using Maintenance.Storage.Analytics;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Tests.Analytics;

public sealed class AnalyticsTests
{
    [Theory]
    [InlineData("ActivitiesPerSession", "0")]
    [InlineData("ActivityLife", "00:00:01")]
    [InlineData("PastSessions", "201")]
    [InlineData("DevicesPerUser", "0")]
    [InlineData("UserLife", "01:00:00")]
    [InlineData("DayLife", "500.00:00:00")]
    public void Start_NamesAWrongAnalyticsSetting(string setting, string value)
    {
        using var provider = Host(new TestMeterFactory(), ($"Storage:Analytics:{setting}", value));

        Should.Throw<OptionsValidationException>(() => provider.GetRequiredService<IOptions<AnalyticsOptions>>().Value)
            .Message.ShouldContain($"Storage:Analytics:{setting} ");
    }

    [Fact]
    public async Task LogIn_IsRecordedAndMeasured()
    {
        using var factory = new TestMeterFactory();
        using var durations = new MetricCollector<double>(factory, "authstore.operation.duration");
        await using var provider = Host(factory, ("REDIS_ENABLED", "false"));

        await provider.GetRequiredService<ISessionStore>().CreateAsync(new NewSession { UserId = "u" }, CancellationToken.None);

        durations.Measurements.Count(one => one.Has(("store", "analytics"), ("operation", "record_login"), ("outcome", "success"))).ShouldBe(1);
    }

    [Fact]
    public void PastSessions_LeaveOutWhatCannotBeRead() =>
        SessionEvents.Past(["L:1:short:x", "X:1:y", "nothing", "", "L:abc:aaaaaaaaaaaaaaaaaaaaaa:x", "E:5:aaaaaaaaaaaaaaaaaaaaaa"], [], 10).ShouldBeEmpty();

    private static ServiceProvider Host(TestMeterFactory factory, params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(pair => pair.Name, pair => (string?)pair.Value)).Build();
        return new ServiceCollection().AddLogging().AddSingleton<System.Diagnostics.Metrics.IMeterFactory>(factory).AddAuthStorage(configuration).BuildServiceProvider();
    }
}
