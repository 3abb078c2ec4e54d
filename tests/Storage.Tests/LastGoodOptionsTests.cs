using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Tests;

public sealed class LastGoodOptionsTests : IAsyncDisposable
{
    private const string Setting = "Storage:Sessions:SlidingExpiration";

    private readonly LogCollector logs = new();
    private readonly IConfigurationRoot configuration = new ConfigurationBuilder()
        .AddInMemoryCollection([new("Storage:Redis:Url", "redis://127.0.0.1"), new(Setting, "00:20:00")]).Build();

    private readonly ServiceProvider services;

    public LastGoodOptionsTests() => services = new ServiceCollection()
        .AddLogging(logging => logging.AddProvider(logs))
        .AddAuthStorage(configuration)
        .KeepLastGoodOptions()
        .BuildServiceProvider();

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        logs.Dispose();
    }

    [Theory]
    [InlineData("-00:00:01")]
    [InlineData("soon")]
    public void WrongValue_ThatComesLater_ChangesNothing_AndIsNamedInTheLog(string wrong)
    {
        Life.ShouldBe(TimeSpan.FromMinutes(20));

        Change(wrong);

        Life.ShouldBe(TimeSpan.FromMinutes(20));
        logs.WithEvent(1005).ShouldContain(line => line.Message.Contains(Setting, StringComparison.Ordinal));

        Change("00:30:00");
        Life.ShouldBe(TimeSpan.FromMinutes(30));
    }

    [Theory]
    [InlineData("-00:00:01")]
    [InlineData("soon")]
    public void WrongValue_AtTheStart_StopsIt(string wrong)
    {
        Change(wrong);

        Should.Throw<Exception>(() => Life).ToString().ShouldContain(Setting);
    }

    private TimeSpan Life => services.GetRequiredService<IOptionsMonitor<SessionOptions>>().CurrentValue.SlidingExpiration;

    private void Change(string value)
    {
        configuration[Setting] = value;
        // As a file's watcher does it: what a listener throws reaches nobody.
        try
        {
            configuration.Reload();
        }
        catch (AggregateException)
        {
            // Without options of before there is nothing to go on with.
        }
    }
}
