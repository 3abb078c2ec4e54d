using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Options;

namespace Maintenance.Archive.PostgresTests.Sessions;

/// <summary>A PostgreSQL that stands still with every connection open: the deadline is paid a few times, not by every request.</summary>
public sealed class ArchiveBreakerTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(3);

    private readonly LogCollector log = new();
    private PostgresServer server = null!;
    private PostgresDatabase postgres = null!;

    public async Task InitializeAsync()
    {
        server = await PostgresServer.StartAsync();
        postgres = await server.CreateDatabaseAsync();
        await (await ArchiveDatabases.MigratedAsync(postgres.ConnectionString)).DisposeAsync();
    }

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        log.Dispose();
    }

    [Fact]
    public async Task LogInsAndLookUps_FailOrGoOnAtOnce_OnceAFrozenDatabaseHasCostAFewDeadlines()
    {
        await using var database = Open(pause: TimeSpan.FromMinutes(5));
        await using var host = new Host(redis.Server.Url, new PostgresSessionArchive(database));
        var session = await ArchivedAsync(host);
        await redis.Server.ExecuteAsync("DEL", host.RecordKey(session));
        await server.PauseAsync();

        await FailTogetherAsync(host, session);
        var started = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 20; i++)
        {
            await UnavailableAsync(() => host.Store.ValidateAsync(session.Token.Value, None));
            (await host.IsValidAsync(await host.LogInAsync("someone"))).ShouldBeTrue("a log-in goes on without the archive");
        }

        // Without a breaker: 40 deadlines.
        TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(Deadline * 20);
        var message = log.WithEvent(1601).ShouldHaveSingleItem().Message;
        message.ShouldContain(postgres.Name);
        message.ShouldNotContain("only+of+tests");
        (await UnavailableAsync(() => host.Store.RevokeAllAsync("someone", null, None))).ShouldContain("BreakerPause");
        await server.ResumeAsync();
    }

    [Fact]
    public async Task OneCallTriesAfterThePause_AndAllGoOn_WhenTheDatabaseIsBack()
    {
        await using var database = Open(pause: TimeSpan.FromSeconds(1));
        await using var host = new Host(redis.Server.Url, new PostgresSessionArchive(database));
        var session = await ArchivedAsync(host);
        await redis.Server.ExecuteAsync("DEL", host.RecordKey(session));
        await server.PauseAsync();
        await FailTogetherAsync(host, session);

        await server.ResumeAsync();

        await Eventually.TrueAsync(async () => await host.IsValidAsync(session), TimeSpan.FromSeconds(60));
        log.WithEvent(1602).Count.ShouldBe(1);
    }

    [Fact]
    public async Task WhatTheDatabaseRefuses_OpensNothing()
    {
        await using var database = Open(pause: TimeSpan.FromMinutes(5), deadline: TimeSpan.FromSeconds(30));
        var archive = new PostgresSessionArchive(database);
        await postgres.ExecuteAsync("ALTER TABLE archive_users RENAME TO elsewhere");
        for (var i = 0; i < 10; i++)
        {
            (await UnavailableAsync(() => archive.GetGenerationAsync(UserReference.Of("someone"), None))).ShouldContain("migrate");
        }

        await postgres.ExecuteAsync("ALTER TABLE elsewhere RENAME TO archive_users");

        (await archive.GetGenerationAsync(UserReference.Of("someone"), None)).ShouldBeNull();
    }

    [Theory]
    [InlineData("BreakerCalls")]
    [InlineData("BreakerWindow")]
    [InlineData("BreakerPause")]
    public void WrongSetting_IsNamed(string name)
    {
        var options = new PostgresArchiveOptions();
        var property = typeof(PostgresArchiveOptions).GetProperty(name)!;
        property.SetValue(options, property.PropertyType == typeof(int) ? 1 : TimeSpan.Zero);

        new PostgresArchiveOptionsValidator().Validate(Options.DefaultName, options).FailureMessage.ShouldNotBeNull().ShouldContain($"Archive:{name}");
    }

    // More than what has been answered before.
    private async Task FailTogetherAsync(Host host, IssuedSession session)
    {
        await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => UnavailableAsync(() => host.Store.ValidateAsync(session.Token.Value, None))));
        log.WithEvent(1601).Count.ShouldBe(1);
    }

    private static async Task<string> UnavailableAsync<T>(Func<Task<T>> call)
    {
        var failure = await Should.ThrowAsync<StorageUnavailableException>(call);
        failure.Reason.ShouldBe(UnavailableReason.Archive);
        return failure.Message;
    }

    // The first use of everything takes long on a busy machine.
    private static async Task<IssuedSession> ArchivedAsync(Host host)
    {
        IssuedSession issued = null!;
        await Eventually.TrueAsync(
            async () =>
            {
                issued = await host.LogInAsync("user");
                return await host.Archive.FindAsync(UserReference.Of("user"), issued.Token.Id, None) is not null;
            },
            TimeSpan.FromSeconds(60));
        return issued;
    }

    private ArchiveDatabase Open(TimeSpan pause, TimeSpan? deadline = null) => ArchiveDatabases.Open(
        new PostgresArchiveOptions { ConnectionString = postgres.ConnectionString, Deadline = deadline ?? Deadline, BreakerPause = pause, BreakerWindow = TimeSpan.FromMinutes(5) },
        log.For<ArchiveDatabase>());
}
