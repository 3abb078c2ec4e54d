using System.Globalization;
using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Archive.PostgresTests.Histories;

/// <summary>
/// Random histories of two hosts on one Redis, which loses keys at random, and one PostgreSQL. <c>HISTORIES_COUNT</c> sets how many,
/// <c>HISTORIES_SEED</c> runs one again.
/// </summary>
public sealed class ArchiveHistoryTests(RedisFixture redis, PostgresFixture postgres) : IClassFixture<RedisFixture>, IClassFixture<PostgresFixture>
{
    private const int DefaultCount = 120;
    private const int Lanes = 4;

    [Fact]
    public async Task Histories_NeverValidateWhatWasEnded_AndBringBackWhatWasNot()
    {
        var count = int.TryParse(Environment.GetEnvironmentVariable("HISTORIES_COUNT"), CultureInfo.InvariantCulture, out var asked) ? asked : DefaultCount;
        var (_, database) = await ArchiveDatabases.CreateAsync(postgres.Server);
        await using var own = database;

        (await FirstViolationAsync(new PostgresSessionArchive(database), count)).ShouldBeNull();
    }

    [Fact]
    public async Task Histories_FindARevocationThatWasNotCommitted()
    {
        (await FirstViolationAsync(new ForgetsRevocations(new InMemorySessionArchive(TimeProvider.System)), DefaultCount)).ShouldNotBeNull().ShouldContain("was ended and ");
    }

    [Fact]
    public async Task Histories_FindASessionThatWasNotWrittenThrough()
    {
        (await FirstViolationAsync(new ForgetsSessions(new InMemorySessionArchive(TimeProvider.System)), DefaultCount)).ShouldNotBeNull().ShouldContain("is live and");
    }

    private async Task<string?> FirstViolationAsync(ISessionArchive archive, int count)
    {
        var given = ulong.TryParse(Environment.GetEnvironmentVariable("HISTORIES_SEED"), CultureInfo.InvariantCulture, out var asked);
        var seed = given ? asked : (ulong)Random.Shared.NextInt64(1, int.MaxValue);
        string? first = null;
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(async _ =>
        {
            while (first is null && Interlocked.Increment(ref next) is var number && number < count)
            {
                var history = History.Draw(seed + (ulong)number);
                await using var run = new HistoryRun(redis.Server, archive, history.Grace);
                if (await run.RunAsync(history) is { } violation)
                {
                    first = $"{violation}\nTo run it again: HISTORIES_SEED={seed + (ulong)number} HISTORIES_COUNT=1\n{history}";
                }
            }
        }));
        return first;
    }

    private sealed class ForgetsRevocations(ISessionArchive inner) : DelegatingArchive(inner)
    {
        public override Task<ArchivedRevocation> RevokeAsync(UserReference user, SessionId id, TimeSpan keep, CancellationToken cancellationToken) =>
            Task.FromResult(new ArchivedRevocation([id], true));
    }

    private sealed class ForgetsSessions(ISessionArchive inner) : DelegatingArchive(inner)
    {
        public override Task<bool> AddAsync(Session session, IReadOnlyCollection<SessionId> evicted, CancellationToken cancellationToken) => Task.FromResult(true);
    }
}
