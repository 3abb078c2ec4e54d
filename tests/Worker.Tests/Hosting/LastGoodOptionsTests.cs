using Maintenance.Testing;
using Maintenance.Worker.Alerting;
using Maintenance.Worker.RedisHealth;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Tests.Hosting;

/// <summary>The settings of the worker as its host registers them, in a file that somebody edits while it runs.</summary>
public sealed class LastGoodOptionsTests : IAsyncDisposable
{
    private readonly LogCollector logs = new();
    private readonly IConfigurationRoot configuration = new ConfigurationBuilder().AddInMemoryCollection(
        [new("Storage:Redis:Url", "redis://127.0.0.1"), new("Jobs:RedisHealth:Deadline", "00:00:20"), new("Alerting:SinkTimeout", "00:00:20")]).Build();

    private readonly ServiceProvider services;

    public LastGoodOptionsTests() => services = new ServiceCollection()
        .AddLogging(logging => logging.AddProvider(logs))
        .AddSingleton<IConfiguration>(configuration)
        .AddMaintenanceWorker(configuration)
        .BuildServiceProvider();

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        logs.Dispose();
    }

    [Theory]
    [InlineData("-00:00:01")]
    [InlineData("soon")]
    public void WrongSetting_ThatComesLater_IsNotTaken_AndIsNamedInTheLog(string wrong)
    {
        Of<RedisHealthOptions>().Deadline.ShouldBe(TimeSpan.FromSeconds(20));
        Of<AlertingOptions>().SinkTimeout.ShouldBe(TimeSpan.FromSeconds(20));

        Change("Jobs:RedisHealth:Deadline", wrong);
        Change("Alerting:SinkTimeout", wrong);

        Of<RedisHealthOptions>().Deadline.ShouldBe(TimeSpan.FromSeconds(20));
        Of<AlertingOptions>().SinkTimeout.ShouldBe(TimeSpan.FromSeconds(20));
        logs.WithEvent(1005).ShouldContain(line => line.Message.Contains("Jobs:RedisHealth", StringComparison.Ordinal) && line.Message.Contains("Deadline", StringComparison.Ordinal));
        logs.WithEvent(1005).ShouldContain(line => line.Message.Contains("Alerting:SinkTimeout", StringComparison.Ordinal));

        Change("Jobs:RedisHealth:Deadline", "00:00:30");
        Of<RedisHealthOptions>().Deadline.ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void WrongSetting_AtTheStart_IsRefused()
    {
        Change("Jobs:RedisHealth:Deadline", "soon");

        Should.Throw<InvalidOperationException>(Of<RedisHealthOptions>).Message.ShouldContain("Jobs:RedisHealth:Deadline");
    }

    private T Of<T>()
        where T : class => services.GetRequiredService<IOptionsMonitor<T>>().CurrentValue;

    private void Change(string setting, string value)
    {
        configuration[setting] = value;
        configuration.Reload();
    }
}
