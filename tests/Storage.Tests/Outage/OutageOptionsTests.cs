using Maintenance.Storage.Outage;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Tests.Outage;

public sealed class OutageOptionsTests
{
    [Theory]
    [InlineData("Storage:Outage:RefreshTokens", "Memory")]
    [InlineData("Storage:Outage:OneTimeTokens", "Memory")]
    [InlineData("Storage:Outage:TwoFactor", "Memory")]
    [InlineData("Storage:Outage:OAuthStates", "Memory")]
    [InlineData("Storage:Outage:Denylist", "Memory")]
    [InlineData("Storage:Outage:Sessions", "7")]
    [InlineData("Storage:Outage:JournalEntries", "0")]
    [InlineData("Storage:Outage:JournalDeadline", "00:00:00")]
    [InlineData("Storage:Outage:ClockTolerance", "-00:00:01")]
    [InlineData("Storage:Outage:ProbeInterval", "01:00:00")]
    [InlineData("Storage:Outage:BreakerCalls", "1")]
    [InlineData("Storage:Outage:BreakerFailureRatio", "0")]
    [InlineData("Storage:Outage:BreakerWindow", "00:00:00.1")]
    [InlineData("Storage:RedisShare", "101")]
    [InlineData("Storage:Mode", "9")]
    public async Task Start_FailsAndNamesTheSetting(string setting, string value)
    {
        using var host = Host((setting, value));

        (await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync())).Message.ShouldContain(setting);
    }

    [Fact]
    public async Task Start_Fails_WhenModeAndEnabledContradictEachOther()
    {
        using var host = Host(("Storage:Mode", "Redis"), ("REDIS_ENABLED", "false"));

        var message = (await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync())).Message;

        message.ShouldContain("Storage:Mode");
        message.ShouldContain("REDIS_ENABLED");
    }

    [Fact]
    public async Task Start_FailsAndNamesTheJournal_WhenItCannotBeUsed()
    {
        var folder = Directory.CreateTempSubdirectory("maintenance-journal-").FullName;
        try
        {
            using var host = Host(("Storage:Outage:JournalFile", folder));

            (await Should.ThrowAsync<InvalidOperationException>(() => host.StartAsync())).Message.ShouldContain("Storage:Outage:JournalFile");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
            File.Delete(folder + ".lock");
        }
    }

    [Theory]
    [InlineData("Development", null, OutagePolicy.Memory)]
    [InlineData("Production", null, OutagePolicy.Deny)]
    [InlineData("Development", "Deny", OutagePolicy.Deny)]
    [InlineData("Production", "Memory", OutagePolicy.Memory)]
    public void Sessions_FallBackToMemory_InDevelopmentOrWhenAsked(string environment, string? policy, OutagePolicy expected)
    {
        var services = new ServiceCollection().AddLogging();
        services.AddSingleton<IHostEnvironment>(new HostingEnvironment { EnvironmentName = environment });
        var settings = new Dictionary<string, string?> { ["Storage:Outage:Sessions"] = policy };
        services.AddAuthStorage(new ConfigurationBuilder().AddInMemoryCollection(settings.Where(setting => setting.Value is not null)).Build());
        using var provider = services.BuildServiceProvider();

        provider.GetRequiredService<IOptions<OutageOptions>>().Value.Sessions.ShouldBe(expected);
    }

    [Theory]
    [InlineData("REDIS_ENABLED", "false")]
    [InlineData("Storage:Redis:Enabled", "false")]
    [InlineData("Storage:Mode", "Memory")]
    public async Task MemoryMode_NeedsNoRedis(string setting, string value)
    {
        // A malformed URL shows that nobody even looks at it.
        using var host = Host((setting, value), ("Storage:Redis:Url", setting == "Storage:Mode" ? "redis://localhost:1" : "nonsense"));
        await host.StartAsync();
        var sessions = host.Services.GetRequiredService<ISessionStore>();

        var issued = await sessions.CreateAsync(new NewSession { UserId = "ada" }, CancellationToken.None);

        (await sessions.ValidateAsync(issued.Token.Value, CancellationToken.None)).IsValid.ShouldBeTrue();
        (await sessions.RevokeAllAsync("ada", null, CancellationToken.None)).ShouldBe(new RevokedSessions(1, false));
        (await sessions.ValidateAsync(issued.Token.Value, CancellationToken.None)).IsValid.ShouldBeFalse();
        await host.StopAsync();
    }

    private static IHost Host(params (string Name, string Value)[] settings)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)));
        builder.Services.AddAuthStorage(builder.Configuration);
        return builder.Build();
    }
}
