using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Archive.PostgresTests.Sessions;

/// <summary>PostgreSQL is down, frozen, or has no tables: what goes on, and what must not.</summary>
public sealed class ArchiveAwayTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private string user = Guid.NewGuid().ToString("D");
    private PostgresServer server = null!;
    private PostgresDatabase postgres = null!;
    private ArchiveDatabase database = null!;
    private Host host = null!;

    public async Task InitializeAsync()
    {
        server = await PostgresServer.StartAsync();
        postgres = await server.CreateDatabaseAsync();
        await (await ArchiveDatabases.MigratedAsync(postgres.ConnectionString)).DisposeAsync();
        database = ArchiveDatabases.Open(postgres.ConnectionString, TimeSpan.FromSeconds(3));
        host = new Host(redis.Server.Url, new PostgresSessionArchive(database));
        // The first use of everything takes long on a busy machine.
        await Eventually.TrueAsync(
            async () => await host.Archive.FindAsync(UserReference.Of("nobody"), default, None) is null
                && await host.Archive.AddAsync((await host.Redis.CreateAsync(new NewSession { UserId = "warm" }, None)).Session, [], None),
            TimeSpan.FromSeconds(60));
    }

    public async Task DisposeAsync()
    {
        await host.DisposeAsync();
        await database.DisposeAsync();
        await server.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ArchiveAway_ReadsOfRedisAndLogInsGoOn_AndWhatEndsASessionIsUnavailable(bool frozen)
    {
        // The pool's connections are open, so that a frozen server is one that has them.
        var session = await ArchivedAsync(host);
        await (frozen ? server.PauseAsync() : server.KillAsync());

        (await host.IsValidAsync(session)).ShouldBeTrue();
        (await host.Store.ListAsync(user, None)).ShouldHaveSingleItem();
        var unarchived = await host.LogInAsync(user);
        (await host.IsValidAsync(unarchived)).ShouldBeTrue();
        await ShouldBeUnavailableAsync(() => host.Store.RevokeAsync(user, session.Token.Id, None));
        await ShouldBeUnavailableAsync(() => host.Store.RevokeAllAsync(user, null, None));
        await ShouldBeUnavailableAsync(() => host.Store.RotateAsync(session.Token.Value, new SessionChanges(), None));
        (await host.IsValidAsync(session)).ShouldBeTrue("nothing was answered, so nothing needs to have happened");

        await redis.Server.ExecuteAsync("DEL", host.RecordKey(session));
        await ShouldBeUnavailableAsync(() => host.Store.ValidateAsync(session.Token.Value, None));

        await (frozen ? server.ResumeAsync() : server.RestartAsync());
        await Eventually.TrueAsync(async () => await host.IsValidAsync(session), TimeSpan.FromSeconds(30));
        await Eventually.TrueAsync(async () => (await host.Store.RevokeAsync(user, unarchived.Token.Id, None)).ToBoolean());
        await redis.Server.FlushAllAsync();
        await Eventually.SucceedsAsync(async () => (await host.IsValidAsync(unarchived)).ShouldBeFalse());
        await Eventually.SucceedsAsync(async () => (await host.IsValidAsync(session)).ShouldBeTrue());
    }

    [Fact]
    public async Task LastAccessesThatTheArchiveDidNotTake_AreWrittenWhenItIsBack()
    {
        await using var renewing = new Host(redis.Server.Url, new PostgresSessionArchive(database), new SessionOptions { RenewalInterval = TimeSpan.Zero });
        var session = await ArchivedAsync(renewing);
        await server.KillAsync();
        Session? seen = null;
        await Eventually.TrueAsync(async () =>
            (seen = (await renewing.Store.ValidateAsync(session.Token.Value, None)).Session)!.LastSeenAt > session.Session.CreatedAt);

        await renewing.Accesses.FlushAsync(None);
        await server.RestartAsync();

        await Eventually.TrueAsync(
            async () =>
            {
                await renewing.Accesses.FlushAsync(None);
                return (await renewing.Archive.FindAsync(UserReference.Of(user), session.Token.Id, None))?.LastSeenAt == seen!.LastSeenAt;
            },
            TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task DatabaseWithoutTables_IsNamed_AndItsPasswordIsNot()
    {
        var empty = await server.CreateDatabaseAsync();
        await using var unmigrated = ArchiveDatabases.Open(empty.ConnectionString);
        await using var other = new Host(redis.Server.Url, new PostgresSessionArchive(unmigrated));

        var failure = await Should.ThrowAsync<StorageUnavailableException>(() => other.Store.RevokeAllAsync(user, null, None));

        failure.Message.ShouldContain("migrate");
        failure.Message.ShouldContain(empty.Name);
        failure.ToString().ShouldNotContain("only+of+tests");
    }

    // A log-in goes on when the archive does not answer in time, as on a machine that stands still; each attempt is of another user.
    private async Task<IssuedSession> ArchivedAsync(Host of)
    {
        IssuedSession issued = null!;
        await Eventually.TrueAsync(
            async () =>
            {
                user = Guid.NewGuid().ToString("D");
                issued = await of.LogInAsync(user);
                return await of.Archive.FindAsync(UserReference.Of(user), issued.Token.Id, None) is not null;
            },
            TimeSpan.FromSeconds(60));
        return issued;
    }

    private static async Task ShouldBeUnavailableAsync<T>(Func<Task<T>> call) =>
        (await Should.ThrowAsync<StorageUnavailableException>(call)).Reason.ShouldBe(UnavailableReason.Archive);
}
