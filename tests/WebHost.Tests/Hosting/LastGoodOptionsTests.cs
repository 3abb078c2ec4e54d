using Maintenance.Testing;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.StepUp;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Tests.Hosting;

public sealed class LastGoodOptionsTests : IDisposable
{
    private const string Setting = "StepUp:MaxAge";

    private readonly LogCollector logs = new();
    private readonly IConfigurationRoot configuration = new ConfigurationBuilder().AddInMemoryCollection([new(Setting, "00:20:00")]).Build();
    private readonly ServiceProvider services;

    public LastGoodOptionsTests() => services = new ServiceCollection()
        .AddLogging(logging => logging.AddProvider(logs))
        .AddSingleton<IConfiguration>(configuration)
        .AddSettings<StepUpOptions, StepUpOptionsValidator>(StepUpOptions.Section)
        .KeepLastGoodOptions()
        .BuildServiceProvider();

    public void Dispose()
    {
        services.Dispose();
        logs.Dispose();
    }

    [Theory]
    [InlineData("99:00:00")]
    [InlineData("soon")]
    public void WrongValue_ThatComesLater_ChangesNothing_AndIsNamedInTheLog(string wrong)
    {
        MaxAge.ShouldBe(TimeSpan.FromMinutes(20));

        Change(wrong);

        MaxAge.ShouldBe(TimeSpan.FromMinutes(20));
        logs.WithEvent(3003).ShouldHaveSingleItem().Message.ShouldContain(Setting);

        Change("00:30:00");
        MaxAge.ShouldBe(TimeSpan.FromMinutes(30));
    }

    [Theory]
    [InlineData("99:00:00")]
    [InlineData("soon")]
    public void WrongValue_AtTheStart_StopsIt(string wrong)
    {
        Change(wrong);

        Should.Throw<Exception>(() => MaxAge).ToString().ShouldContain(Setting);
    }

    private TimeSpan MaxAge => services.GetRequiredService<IOptionsMonitor<StepUpOptions>>().CurrentValue.MaxAge;

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
