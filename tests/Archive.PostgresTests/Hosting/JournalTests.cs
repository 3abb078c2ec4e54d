using Maintenance.Archive;
using Maintenance.Storage;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Archive.PostgresTests.Hosting;

/// <summary>Revocations while Redis is away, journalled in the archive.</summary>
public sealed class JournalTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string user = Guid.NewGuid().ToString("D");
    private RedisServer redis = null!;
    private PostgresDatabase rows = null!;
    private ServiceProvider host = null!;

    private ISessionStore Sessions => host.GetRequiredService<ISessionStore>();

    public async Task InitializeAsync()
    {
        redis = await RedisServer.StartAsync(new() { AppendOnly = true });
        (rows, var database) = await ArchiveDatabases.CreateAsync(postgres.Server);
        await database.DisposeAsync();
        host = await StartHostAsync();
    }

    public async Task DisposeAsync()
    {
        await StopHostAsync(host);
        await redis.DisposeAsync();
    }

    [Fact]
    public async Task RevocationWhileRedisIsAway_IsJournalled_AndCarriedOut_AndNeverComesBackFromTheArchive()
    {
        var (revoked, live, others) = (await LogInAsync(user), await LogInAsync(user), await LogInAsync(user + " all"));
        await redis.KillAsync();

        (await Sessions.RevokeAsync(user, revoked.Token.Id, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);
        (await Sessions.RevokeAllAsync(user + " all", null, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);
        (await WaitingAsync()).ShouldBe(2);

        await redis.RestartAsync();
        await Eventually.TrueAsync(async () => await WaitingAsync() == 0, Patience);
        await ShouldBeEndedAsync(revoked, others);
        await redis.FlushAllAsync();
        await ShouldBeEndedAsync(revoked, others);
        // The host reads Redis again after its journal is empty.
        await Eventually.TrueAsync(() => ValidateAsync(live), Patience);
        (await ValidateAsync(await LogInAsync(user + " all"))).ShouldBeTrue();
    }

    [Fact]
    public async Task JournalOfAHostThatWasLost_IsCarriedOutByTheNextOne()
    {
        var revoked = await LogInAsync(user);
        await redis.KillAsync();
        (await Sessions.RevokeAsync(user, revoked.Token.Id, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);
        await StopHostAsync(host);

        await redis.RestartAsync();
        host = await StartHostAsync();

        await Eventually.TrueAsync(async () => await WaitingAsync() == 0, Patience);
        await ShouldBeEndedAsync(revoked);
        // What stands there is the mark that keeps another host from moving the session in: an alias of 31 bytes that leads nowhere, and goes by itself.
        foreach (var key in await redis.KeysAsync("session:{*"))
        {
            (await redis.IntegerAsync("STRLEN", key)).ShouldBe(31);
            (await redis.IntegerAsync("PTTL", key)).ShouldBePositive();
        }
    }

    [Fact]
    public async Task JournalOfAHostThatWasLost_IsCarriedOutByOneThatRuns_BeforeItReadsAgain()
    {
        var revoked = await LogInAsync(user);
        var all = await LogInAsync(user + " all");
        await redis.ExecuteAsync("SAVE");
        var writer = await StartHostAsync();
        var survivor = host;
        try
        {
            await redis.KillAsync();
            host = writer;
            (await Eventually.NotNullAsync(async () => (object?)await Sessions.RevokeAsync(user, revoked.Token.Id, None), Patience))
                .ShouldBe(new Revocation(0, RevocationOutcome.Journalled));
            (await Sessions.RevokeAllAsync(user + " all", null, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);
            // The survivor must know of the outage, or it has nothing to come back from.
            host = survivor;
            await NoticeAsync();
        }
        finally
        {
            await StopHostAsync(writer);
        }

        await redis.RestartAsync();

        await Eventually.TrueAsync(() => Task.FromResult(!host.GetRequiredService<StorageSwitch>().IsRedisAway), Patience);
        (await ValidateAsync(revoked)).ShouldBeFalse();
        (await ValidateAsync(all)).ShouldBeFalse();
        await Eventually.TrueAsync(async () => await WaitingAsync() == 0, Patience);
        (await ValidateAsync(revoked)).ShouldBeFalse();
        (await ValidateAsync(all)).ShouldBeFalse();
    }

    [Fact]
    public async Task JournalOfAHostThatWasLost_IsCarriedOutByOneThatNeverMissedRedis()
    {
        var revoked = await LogInAsync(user);
        // Before the entry: the host reads the journal by itself too.
        (await ValidateAsync(revoked)).ShouldBeTrue();
        await using var database = ArchiveDatabases.Open(rows.ConnectionString);
        // As a host leaves it that was cut off from Redis alone.
        await new PostgresRevocationJournal(database).AppendAsync(
            new JournalledRevocation
            {
                Id = $"{1:x32}", Kind = RevocationKind.Session, At = TimeProvider.System.GetUtcNow(), User = UserReference.Of(user).Value, Subject = revoked.Token.Id.Value,
            },
            None);

        await host.GetRequiredService<SharedJournalReader>().ReadAsync(None);

        (await ValidateAsync(revoked)).ShouldBeFalse();
        await Eventually.TrueAsync(async () => await WaitingAsync() == 0, Patience);
        (await ValidateAsync(revoked)).ShouldBeFalse();
    }

    [Fact]
    public async Task Journal_KeepsEntriesInOrder_UntilTheyAreAcknowledged_AndNoEntryTwice()
    {
        // Not the host's, which may be looking into its journal just now, and carries out what it finds.
        var (_, database) = await ArchiveDatabases.CreateAsync(postgres.Server);
        await using var owned = database;
        var journal = new PostgresRevocationJournal(database);
        var entries = Enumerable.Range(0, 5).Select(i => new JournalledRevocation
        {
            Id = $"{i:x32}",
            Kind = (RevocationKind)i,
            At = DateTimeOffset.UnixEpoch.AddDays(20_000).AddTicks(i),
            User = UserReference.Of(user).Value,
            Subject = i == 0 ? null : "subject ü",
            Until = i == 1 ? DateTimeOffset.UnixEpoch.AddDays(20_001) : null,
        }).ToList();

        foreach (var entry in entries.Append(entries[0]))
        {
            await journal.AppendAsync(entry, None);
        }

        (await journal.ReadAllAsync(None)).ShouldBe(entries);
        await journal.AcknowledgeAsync([entries[1].Id, entries[3].Id, "unknown"], None);
        (await journal.ReadAllAsync(None)).ShouldBe([entries[0], entries[2], entries[4]]);
    }

    [Fact]
    public async Task Journal_ThatDoesNotAnswer_IsAnIOException()
    {
        await using var away = ArchiveDatabases.Open($"Host=127.0.0.1;Port={FreePort.Next()};Username=u;Password=very-secret;Database=d");
        var journal = new PostgresRevocationJournal(away);

        (await Should.ThrowAsync<IOException>(() => journal.ReadAllAsync(None))).ToString().ShouldNotContain("very-secret");
        await Should.ThrowAsync<IOException>(() => journal.AcknowledgeAsync(["x"], None));
    }

    private static async Task StopHostAsync(ServiceProvider host)
    {
        foreach (var service in host.GetServices<IHostedService>().Reverse())
        {
            await service.StopAsync(None);
        }

        await host.DisposeAsync();
    }

    private async Task<ServiceProvider> StartHostAsync()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Storage:Redis:Url"] = redis.Url,
            // Redis is killed here, never stopped: no call waits for the deadline.
            ["Storage:Redis:Deadline"] = "00:00:20",
            ["Storage:Outage:JournalDeadline"] = "00:00:20",
            ["Archive:ConnectionString"] = rows.ConnectionString,
            ["Archive:Deadline"] = "00:00:20",
        }).Build();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddAuthStorage(configuration);
        services.AddPostgresArchive(configuration).ShouldBeTrue();
        var provider = services.BuildServiceProvider();
        foreach (var service in provider.GetServices<IHostedService>())
        {
            await service.StartAsync(None);
        }

        return provider;
    }

    private Task NoticeAsync() => Eventually.TrueAsync(
        async () =>
        {
            try
            {
                await Sessions.ValidateAsync(SessionToken.Create(UserReference.Of(user)).Value, None);
            }
            catch (StorageUnavailableException)
            {
                // As it should be.
            }

            return host.GetRequiredService<StorageSwitch>().IsRedisAway;
        },
        Patience);

    // A host that has just started may not have read its journal yet, and denies until then.
    private async Task<IssuedSession> LogInAsync(string userId) => await Eventually.NotNullAsync(
        async () => await Sessions.CreateAsync(new NewSession { UserId = userId }, None), Patience);

    private async Task<bool> ValidateAsync(IssuedSession session) => (await Sessions.ValidateAsync(session.Token.Value, None)).IsValid;

    private Task<long> WaitingAsync() => rows.ScalarAsync<long>("SELECT count(*) FROM archive_journal");

    private async Task ShouldBeEndedAsync(params IssuedSession[] sessions)
    {
        foreach (var session in sessions)
        {
            await Eventually.SucceedsAsync(async () => (await ValidateAsync(session)).ShouldBeFalse(), Patience);
        }
    }
}
