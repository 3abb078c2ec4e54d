using System.Net;
using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using Maintenance.Worker.SessionCleanup;
using Npgsql;

namespace Maintenance.Archive.PostgresTests.Cleanup;

/// <summary>The worker deletes rows of the archive whose time is over.</summary>
public sealed class ArchiveCleanupTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private readonly TestMeterFactory meters = new();
    private TimeSpan details = SessionOptions.LongestLife;
    private PostgresDatabase rows = null!;
    private ArchiveDatabase database = null!;

    public async Task InitializeAsync() => (rows, database) = await ArchiveDatabases.CreateAsync(postgres.Server);

    public async Task DisposeAsync()
    {
        await database.DisposeAsync();
        meters.Dispose();
    }

    [Fact]
    public async Task Run_DeletesEveryExpiredRow_InBatches_AndCountsThem()
    {
        await PlantAsync(expired: 2500, live: 40);
        using var counted = new MetricCollector<long>(meters, "maintenance.archive.rows_deleted");

        var report = await RunAsync();

        report.Count("archive_rows_deleted").ShouldBe(2500);
        counted.Sum().ShouldBe(2500);
        (await rows.ScalarAsync<long>("SELECT count(*) FROM archive_sessions")).ShouldBe(40);
        (await RunAsync()).Count("archive_rows_deleted").ShouldBe(0);
    }

    [Fact]
    public async Task DryRun_CountsAndDeletesNothing()
    {
        await PlantAsync(expired: 30, live: 1);

        var report = await RunAsync(dryRun: true);

        report.Count("archive_rows_expired").ShouldBe(30);
        report.Count("archive_rows_deleted").ShouldBe(0);
        (await rows.ScalarAsync<long>("SELECT count(*) FROM archive_sessions")).ShouldBe(31);
    }

    [Fact]
    public async Task Run_TakesAddressesAndUserAgentsOut_WhoseTimeIsOver_AndWhatEndedSessionsHeld()
    {
        var archive = new PostgresSessionArchive(database);
        var now = TimeProvider.System.GetUtcNow();
        var sessions = Enumerable.Range(0, 450).Select(i => new Session
        {
            Id = SessionToken.Create(UserReference.Of("u")).Id,
            UserId = "u",
            IpAddress = IPAddress.Parse("203.0.113.195"),
            UserAgent = "Agent-that-must-go",
            CreatedAt = now.AddDays(-3),
            LastSeenAt = now,
            AuthenticatedAt = now.AddDays(-3),
            ExpiresAt = now.AddHours(24),
            AbsoluteExpiresAt = now.AddDays(4),
            SlidingExpiration = TimeSpan.FromHours(24),
            Generation = 1000,
        }).ToList();
        foreach (var session in sessions)
        {
            await archive.AddAsync(session, [], CancellationToken.None);
        }

        // As rows of an older version are, whose log-in the script has taken from the record.
        await rows.ExecuteAsync("UPDATE archive_sessions SET ended_at = now() - interval '2 hours', revoked = true WHERE sid = $1", sessions[0].Id.Value);
        // Of a version that is not known here: left alone, and not asked for again and again.
        await rows.ExecuteAsync("UPDATE archive_sessions SET record = set_byte(record, 0, 250) WHERE sid = $1", sessions[1].Id.Value);
        (await RunAsync(dryRun: true)).Count("archive_rows_forgettable").ShouldBe(1, "only what ended, while details are kept as long as any session");
        details = TimeSpan.FromDays(2);
        (await RunAsync(dryRun: true)).Count("archive_rows_forgettable").ShouldBe(450);

        (await RunAsync()).Count("archive_rows_forgotten").ShouldBe(450);

        const string holding = "SELECT count(*) FROM archive_sessions WHERE position('Agent-that-must-go'::bytea IN record) > 0";
        (await rows.ScalarAsync<long>(holding)).ShouldBe(1);
        (await rows.ScalarAsync<long>("SELECT count(*) FROM archive_sessions WHERE record IS NULL")).ShouldBe(1);
        (await archive.ListAsync(UserReference.Of("u"), CancellationToken.None)).Count.ShouldBe(448);
        (await RunAsync()).Count("archive_rows_forgotten").ShouldBe(0);
    }

    [Fact]
    public async Task TwoWorkersAtOnce_ShareTheWork_AndDeleteNoRowTwice()
    {
        await PlantAsync(expired: 6000, live: 10);

        var reports = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => RunAsync()));

        reports.Sum(report => report.Count("archive_rows_deleted")).ShouldBe(6000);
        reports.ShouldAllBe(report => report.ErrorCount == 0);
        (await rows.ScalarAsync<long>("SELECT count(*) FROM archive_sessions")).ShouldBe(10);
    }

    [Fact]
    public async Task RowsThatSomebodyElseHolds_AreSkipped_AndNotWaitedFor()
    {
        await PlantAsync(expired: 20, live: 0);
        await using var other = await rows.OpenAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand("SELECT * FROM archive_sessions ORDER BY sid LIMIT 5 FOR UPDATE", other, transaction);
        await hold.ExecuteNonQueryAsync();

        (await RunAsync()).Count("archive_rows_deleted").ShouldBe(15);
        await transaction.RollbackAsync();

        (await RunAsync()).Count("archive_rows_deleted").ShouldBe(5);
    }

    [Fact]
    public async Task ArchiveAway_IsAnErrorOfTheRun_WithoutThePassword()
    {
        await using var away = ArchiveDatabases.Open($"Host=127.0.0.1;Port={FreePort.Next()};Username=u;Password=very-secret;Database=d");

        var report = await RunAsync(archive: new PostgresSessionArchive(away));

        report.ErrorCount.ShouldBe(1);
        var error = report.Close().Errors.ShouldHaveSingleItem();
        error.ShouldContain("The archive at 127.0.0.1");
        error.ShouldNotContain("very-secret");
    }

    [Fact]
    public async Task CancelledRun_EndsBetweenBatches()
    {
        await PlantAsync(expired: 5000, live: 0);
        using var cancellation = new CancellationTokenSource();
        var archive = new CancelAfterFirst(new PostgresSessionArchive(database), cancellation);

        await Should.ThrowAsync<OperationCanceledException>(() => RunAsync(archive: archive, cancellationToken: cancellation.Token));

        (await rows.ScalarAsync<long>("SELECT count(*) FROM archive_sessions")).ShouldBe(4000);
    }

    [Fact]
    public async Task Batches_ArePacedByTheBudget_SoThatTheDatabaseIsLeftToTheLogIns()
    {
        await PlantAsync(expired: 2500, live: 0);
        var time = new ManualTimeProvider();
        var archive = new Slow(new PostgresSessionArchive(database), time);

        var running = RunAsync(archive: archive, budget: new WorkBudget(new BudgetOptions { DutyCycle = 0.25 }, time));

        await Eventually.TrueAsync(() => time.PendingTimers > 0 || running.IsCompleted, TimeSpan.FromSeconds(60));
        (await rows.ScalarAsync<long>("SELECT count(*) FROM archive_sessions")).ShouldBe(1500);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(100));
                return running.IsCompleted;
            },
            TimeSpan.FromSeconds(60));
        (await running).Count("archive_rows_deleted").ShouldBe(2500);
    }

    private async Task<JobReport> RunAsync(
        bool dryRun = false, ISessionArchive? archive = null, WorkBudget? budget = null, CancellationToken cancellationToken = default)
    {
        var context = new JobContext { Budget = budget ?? WorkBudget.FullSpeed(TimeProvider.System), Brake = new Brake(new BrakeOptions()), DryRun = dryRun };
        var sessions = new FixedOptions<SessionOptions>(new SessionOptions { ClientDetailsLife = details });
        await new ArchiveCleanup(archive ?? new PostgresSessionArchive(database), sessions, new SweepMetrics(meters)).RunAsync(context, cancellationToken);
        return context.Report;
    }

    private async Task PlantAsync(int expired, int live)
    {
        const string sql = "INSERT INTO archive_sessions (user_ref, sid, keep_until) SELECT 'u', $1 || i, now() + $2 FROM generate_series(1, $3) i";
        await rows.ExecuteAsync(sql, "expired", TimeSpan.FromMinutes(-1), expired);
        await rows.ExecuteAsync(sql, "live", TimeSpan.FromHours(1), live);
    }

    private sealed class Slow(ISessionArchive inner, ManualTimeProvider time) : DelegatingArchive(inner)
    {
        public override async Task<int> DeleteExpiredAsync(int atMost, CancellationToken cancellationToken)
        {
            var deleted = await base.DeleteExpiredAsync(atMost, cancellationToken);
            time.Advance(TimeSpan.FromMilliseconds(100));
            return deleted;
        }
    }

    private sealed class CancelAfterFirst(ISessionArchive inner, CancellationTokenSource cancellation) : DelegatingArchive(inner)
    {
        public override async Task<int> DeleteExpiredAsync(int atMost, CancellationToken cancellationToken)
        {
            var deleted = await base.DeleteExpiredAsync(atMost, cancellationToken);
            await cancellation.CancelAsync();
            return deleted;
        }
    }
}
