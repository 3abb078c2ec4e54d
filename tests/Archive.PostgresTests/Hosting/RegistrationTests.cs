using System.Text;
using Maintenance.Archive;
using Maintenance.Storage;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.UserData;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Archive.PostgresTests.Hosting;

/// <summary>Everything as a host registers it.</summary>
public sealed class RegistrationTests(RedisFixture redis, PostgresFixture postgres) : IClassFixture<RedisFixture>, IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly string user = Guid.NewGuid().ToString("D");
    private ServiceProvider provider = null!;

    private ISessionStore Sessions => provider.GetRequiredService<ISessionStore>();

    public async Task InitializeAsync()
    {
        var database = await postgres.Server.CreateDatabaseAsync();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Storage:Redis:Url"] = redis.Server.Url,
            ["Storage:Redis:Deadline"] = "00:00:10",
            ["Storage:RefreshTokens:RotationGrace"] = "00:00:00.001",
            ["Archive:ConnectionString"] = database.ConnectionString,
            ["Archive:Deadline"] = "00:00:30",
        }).Build();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddAuthStorage(configuration);
        services.AddPostgresArchive(configuration).ShouldBeTrue();
        provider = services.BuildServiceProvider();
        await provider.GetRequiredService<ArchiveDatabase>().MigrateAsync(NullLogger.Instance, None);
        foreach (var service in provider.GetServices<IHostedService>())
        {
            await service.StartAsync(None);
        }
    }

    public async Task DisposeAsync()
    {
        foreach (var service in provider.GetServices<IHostedService>().Reverse())
        {
            await service.StopAsync(None);
        }

        await provider.DisposeAsync();
    }

    [Fact]
    public async Task Host_WithAConnectionString_BringsSessionsBack()
    {
        var (live, ended) = (await LogInAsync(), await LogInAsync());
        await Sessions.RevokeAsync(user, ended.Token.Id, None);

        await redis.Server.FlushAllAsync();

        (await Sessions.ValidateAsync(live.Token.Value, None)).IsValid.ShouldBeTrue();
        (await Sessions.ValidateAsync(ended.Token.Value, None)).IsValid.ShouldBeFalse();
    }

    [Fact]
    public void Host_WithoutAConnectionString_HasNoArchive()
    {
        var services = new ServiceCollection();

        services.AddPostgresArchive(new ConfigurationBuilder().Build()).ShouldBeFalse();

        services.ShouldNotContain(service => service.ServiceType == typeof(ArchiveDatabase));
    }

    [Fact]
    public async Task ReusedRefreshToken_EndsItsSessionInTheArchiveToo()
    {
        var families = provider.GetRequiredService<IRefreshTokenStore>();
        var session = await LogInAsync();
        var first = (await families.IssueAsync(new NewRefreshFamily { UserId = user, SessionId = session.Token.Id }, None)).Token.ShouldNotBeNull();
        (await families.RotateAsync(first.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
        RefreshRotation? reuse = null;
        await Eventually.TrueAsync(async () => (reuse = await families.RotateAsync(first.Value, None)).Outcome != RefreshOutcome.Replaced);
        reuse!.Outcome.ShouldBe(RefreshOutcome.Reused);

        await redis.Server.FlushAllAsync();

        (await Sessions.ValidateAsync(session.Token.Value, None)).IsValid.ShouldBeFalse();
    }

    [Fact]
    public async Task UserData_OfTheArchive_IsExportedAndErased()
    {
        var session = await LogInAsync();
        var data = provider.GetRequiredService<UserDataService>();
        var export = Encoding.UTF8.GetString(await data.ExportAsync(user, None));

        var erasure = await data.EraseAsync(user, None);

        export.ShouldContain("\"archive\": [");
        export.ShouldContain("K\\u00FCche\\u0027s laptop");
        erasure.Sources["archive"].ShouldBe(1);
        await redis.Server.FlushAllAsync();
        (await Sessions.ValidateAsync(session.Token.Value, None)).IsValid.ShouldBeFalse();
        (await Sessions.ListAsync(user, None)).ShouldBeEmpty();
    }

    // A host that has just started may not have read its journal yet, and denies until then.
    private Task<IssuedSession> LogInAsync() => Eventually.NotNullAsync<IssuedSession>(
        async () => await Sessions.CreateAsync(new NewSession { UserId = user, DeviceName = "Küche's laptop" }, None), TimeSpan.FromSeconds(60));
}
