using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Archive.PostgresTests.Sessions;

/// <summary>What a host with an archive does when Redis has lost things, and when the archive is away.</summary>
public sealed class ArchivedSessionStoreTests(RedisFixture redis, PostgresFixture postgres) : IClassFixture<RedisFixture>, IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly string user = Guid.NewGuid().ToString("D");
    private PostgresDatabase postgresDatabase = null!;
    private ArchiveDatabase database = null!;
    private GatedArchive archive = null!;
    private Host host = null!;

    private UserReference User => UserReference.Of(user);

    public async Task InitializeAsync()
    {
        (postgresDatabase, database) = await ArchiveDatabases.CreateAsync(postgres.Server);
        archive = new GatedArchive(new PostgresSessionArchive(database));
        host = new Host(redis.Server.Url, archive, new SessionOptions { MaxSessionsPerUser = 3 });
    }

    public async Task DisposeAsync()
    {
        await host.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task AddressAndUserAgent_AreHidden_AndDoNotComeBackToRedis_OnceTheirTimeIsOver()
    {
        var options = new SessionOptions { ClientDetailsLife = TimeSpan.FromMilliseconds(1) };
        await using var forgetful = new Host(redis.Server.Url, host.Archive, options);
        var issued = await host.Store.CreateAsync(new NewSession { UserId = user, UserAgent = "Agent-that-must-go", DeviceName = "Phone" }, None);
        await redis.Server.ExecuteAsync("DEL", host.RecordKey(issued));

        (await forgetful.Store.GetAsync(user, issued.Token.Id, None)).ShouldNotBeNull().UserAgent.ShouldBeNull();
        (await forgetful.Store.ListAsync(user, None)).ShouldHaveSingleItem().UserAgent.ShouldBeNull();
        (await forgetful.IsValidAsync(issued)).ShouldBeTrue();

        var restored = (byte[])(await redis.Server.ExecuteRawAsync("GET"u8.ToArray(), System.Text.Encoding.UTF8.GetBytes(host.RecordKey(issued))))!;
        System.Text.Encoding.Latin1.GetString(restored).ShouldNotContain("Agent-that-must-go");
        System.Text.Encoding.Latin1.GetString(restored).ShouldContain("Phone");
    }

    [Fact]
    public async Task WipedRedis_SessionsComeBackAsTheyWere_AndNothingRevokedDoes()
    {
        var (live, revoked, otherUser) = (await host.LogInAsync(user, "laptop"), await host.LogInAsync(user), await host.LogInAsync(user + " other"));
        await host.Store.RevokeAsync(user, revoked.Token.Id, None);
        var rotated = (await host.Store.RotateAsync(live.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        await host.Store.RevokeAllAsync(user + " other", null, None);
        var afterwards = await host.LogInAsync(user + " other");

        await redis.Server.FlushAllAsync();

        var back = (await host.Store.ValidateAsync(rotated.Token.Value, None)).Session.ShouldNotBeNull();
        back.ShouldBe(rotated.Session with { Claims = back.Claims });
        (await host.IsValidAsync(revoked)).ShouldBeFalse();
        (await host.IsValidAsync(live)).ShouldBeFalse("its id was rotated away");
        (await host.IsValidAsync(otherUser)).ShouldBeFalse();
        (await host.IsValidAsync(afterwards)).ShouldBeTrue();
        (await redis.Server.StringAsync("GET", host.GenerationKey(user))).ShouldBe($"{rotated.Session.Generation}");
        (await redis.Server.IntegerAsync("PTTL", host.RecordKey(rotated))).ShouldBeGreaterThan(0);
        (await redis.Server.IntegerAsync("PTTL", host.Keys.SessionIndex(User))).ShouldBeGreaterThan(0);
        (await redis.Server.IntegerAsync("PTTL", host.GenerationKey(user))).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task EvictedGeneration_ComesBack_AndSessionsGoOn()
    {
        var session = await host.LogInAsync(user);

        await redis.Server.ExecuteAsync("DEL", host.GenerationKey(user));
        (await host.IsValidAsync(session)).ShouldBeTrue();
        await redis.Server.ExecuteAsync("DEL", host.GenerationKey(user));
        var next = await host.LogInAsync(user);

        next.Session.Generation.ShouldBe(session.Session.Generation, "a log-in after an eviction must not end the other sessions");
        (await host.IsValidAsync(session)).ShouldBeTrue();
    }

    [Fact]
    public async Task GenerationBehindTheArchives_IsRaisedByTheNextLogIn()
    {
        var old = await host.LogInAsync(user);
        var before = (await redis.Server.StringAsync("GET", host.GenerationKey(user)))!;
        await host.Store.RevokeAllAsync(user, null, None);
        // A Redis that went back in time: the record and the generation of before.
        await redis.Server.ExecuteAsync("SET", host.GenerationKey(user), before);

        var next = await host.LogInAsync(user);

        (await host.IsValidAsync(next)).ShouldBeTrue();
        next.Session.Generation.ShouldBeGreaterThan(old.Session.Generation);
        (await host.IsValidAsync(old)).ShouldBeFalse();
    }

    [Fact]
    public async Task List_ShowsWhatRedisHasLost_AndSuchASessionCanBeEnded()
    {
        var (kept, lost) = (await host.LogInAsync(user), await host.LogInAsync(user));
        await redis.Server.ExecuteAsync("DEL", host.RecordKey(lost));

        (await host.Store.ListAsync(user, None)).Select(session => session.Id).ShouldBe([kept.Token.Id, lost.Token.Id], ignoreOrder: true);
        (await host.Store.CountAsync(user, None)).ShouldBe(2);
        (await host.Store.GetAsync(user, lost.Token.Id, None)).ShouldNotBeNull().Id.ShouldBe(lost.Token.Id);
        (await host.Store.RevokeAsync(user, lost.Token.Id, None)).ToBoolean().ShouldBeTrue();

        (await host.IsValidAsync(lost)).ShouldBeFalse();
        (await host.Store.ListAsync(user, None)).ShouldHaveSingleItem().Id.ShouldBe(kept.Token.Id);
        (await host.Store.GetAsync(user, lost.Token.Id, None)).ShouldBeNull();
    }

    [Fact]
    public async Task LogOutOtherDevices_KeepsASessionThatRedisHasLost()
    {
        var (kept, other) = (await host.LogInAsync(user), await host.LogInAsync(user));
        await redis.Server.FlushAllAsync();

        (await host.Store.RevokeAllAsync(user, kept.Token.Id, None)).KeptSession.ShouldBeTrue();

        (await host.IsValidAsync(kept)).ShouldBeTrue();
        (await host.IsValidAsync(other)).ShouldBeFalse();
        await redis.Server.FlushAllAsync();
        (await host.IsValidAsync(kept)).ShouldBeTrue();
        (await host.IsValidAsync(other)).ShouldBeFalse();
    }

    [Fact]
    public async Task RevokeAll_UnderAHigherGenerationOfRedis_RaisesTheArchives()
    {
        var session = await host.LogInAsync(user);
        // Another kind of state made one after an eviction, on a clock that runs ahead.
        var ahead = session.Session.Generation + 3_600_000_000L;
        await redis.Server.ExecuteAsync("SET", host.GenerationKey(user), $"{ahead}", "PX", "600000");

        await host.Store.RevokeAllAsync(user, null, None);

        var generation = long.Parse((await redis.Server.StringAsync("GET", host.GenerationKey(user)))!);
        generation.ShouldBeGreaterThan(ahead);
        (await archive.GetGenerationAsync(User, None)).ShouldBe(generation);
    }

    [Fact]
    public async Task SessionsThatTheCapEnded_DoNotComeBack()
    {
        var first = await host.LogInAsync(user);
        foreach (var _ in Enumerable.Range(0, 3))
        {
            await host.LogInAsync(user);
        }

        await redis.Server.FlushAllAsync();

        (await host.IsValidAsync(first)).ShouldBeFalse();
        (await host.Store.CountAsync(user, None)).ShouldBe(3);
    }

    [Fact]
    public async Task Rotation_OfASessionThatRedisHasLost_Works()
    {
        var session = await host.LogInAsync(user);
        await redis.Server.FlushAllAsync();

        var rotation = await host.Store.RotateAsync(session.Token.Value, new SessionChanges(), None);

        rotation.Outcome.ShouldBe(RotationOutcome.Rotated);
        (await host.IsValidAsync(rotation.Issued!)).ShouldBeTrue();
    }

    [Fact]
    public async Task Rotation_WithClaimsThatCannotBeStored_LeavesTheSessionAsItWas()
    {
        var session = await host.LogInAsync(user);
        var changes = new SessionChanges { Claims = new Dictionary<string, string> { ["a"] = new('x', 4097) } };

        await Should.ThrowAsync<ArgumentException>(() => host.Store.RotateAsync(session.Token.Value, changes, None));

        await redis.Server.FlushAllAsync();
        (await host.IsValidAsync(session)).ShouldBeTrue();
    }

    [Fact]
    public async Task EndedSession_IsDeniedByItsTombstone_WithoutAReadOfTheArchive()
    {
        var session = await host.LogInAsync(user);
        await host.Store.RevokeAsync(user, session.Token.Id, None);
        var before = archive.Finds;

        (await host.IsValidAsync(session)).ShouldBeFalse();

        archive.Finds.ShouldBe(before);
        (await redis.Server.IntegerAsync("PTTL", host.TombstoneKey(session))).ShouldBeInRange(60_000, 300_000);
    }

    [Fact]
    public async Task LiveSession_IsValidatedWithoutAReadOfTheArchive()
    {
        var session = await host.LogInAsync(user);

        (await host.IsValidAsync(session)).ShouldBeTrue();

        archive.Finds.ShouldBe(0);
    }

    [Fact]
    public async Task LastAccess_IsWrittenWithTheNextBatch_AndNotByTheRequest()
    {
        await using var renewing = new Host(redis.Server.Url, archive, new SessionOptions { RenewalInterval = TimeSpan.Zero });
        var session = await renewing.LogInAsync(user);
        Session? seen = null;
        await Eventually.TrueAsync(async () =>
        {
            seen = (await renewing.Store.ValidateAsync(session.Token.Value, None)).Session;
            return seen!.LastSeenAt > session.Session.CreatedAt;
        });
        (await archive.FindAsync(User, session.Token.Id, None)).ShouldNotBeNull().LastSeenAt.ShouldBe(session.Session.CreatedAt);

        await renewing.Accesses.FlushAsync(None);

        var archived = (await archive.FindAsync(User, session.Token.Id, None)).ShouldNotBeNull();
        archived.LastSeenAt.ShouldBe(seen!.LastSeenAt);
        archived.ExpiresAt.ShouldBe(seen.ExpiresAt);
    }

    [Fact]
    public async Task FullRedis_ThatEvictsNothing_StillRevokes_AndNothingComesBack()
    {
        await using var full = await RedisServer.StartAsync(new() { MaxMemoryPolicy = "noeviction" });
        await using var other = new Host(full.Url, archive);
        var (one, two) = (await other.LogInAsync(user), await other.LogInAsync(user));
        await full.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");

        (await other.Store.RevokeAsync(user, one.Token.Id, None)).ToBoolean().ShouldBeTrue();
        (await other.IsValidAsync(one)).ShouldBeFalse();
        (await other.IsValidAsync(two)).ShouldBeTrue();
        await other.Store.RevokeAllAsync(user, null, None);
        (await other.IsValidAsync(two)).ShouldBeFalse();

        await full.ExecuteAsync("CONFIG", "SET", "maxmemory", "0");
        (await other.IsValidAsync(one)).ShouldBeFalse();
        (await other.IsValidAsync(two)).ShouldBeFalse();
        (await other.IsValidAsync(await other.LogInAsync(user))).ShouldBeTrue();
    }

    [Fact]
    public async Task ReplayAfterARestoredBackup_EndsAgainWhatHasEndedSince_AndNothingElse()
    {
        await using var own = await RedisServer.StartAsync();
        await using var before = new Host(own.Url, archive);
        var (kept, revoked, old) = (await before.LogInAsync(user), await before.LogInAsync(user), await before.LogInAsync(user));
        var (everywhere, orphan) = (await before.LogInAsync(user + " all"), await before.LogInAsync(user + " all"));
        await own.ExecuteAsync("SAVE");
        var backup = await File.ReadAllBytesAsync(Path.Combine(own.Folder, "dump.rdb"));
        await before.Store.RevokeAsync(user, revoked.Token.Id, None);
        var rotated = (await before.Store.RotateAsync(old.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        await before.Store.RevokeAllAsync(user + " all", null, None);

        await own.KillAsync();
        await File.WriteAllBytesAsync(Path.Combine(own.Folder, "dump.rdb"), backup);
        await own.RestartAsync();
        await using var after = new Host(own.Url, archive);
        (await after.Redis.ValidateAsync(revoked.Token.Value, None)).IsValid.ShouldBeTrue("the backup knows nothing of it");
        (await after.Redis.ValidateAsync(everywhere.Token.Value, None)).IsValid.ShouldBeTrue();

        var result = await after.Replay.RunAsync(DateTimeOffset.UnixEpoch, null, None);
        var again = await after.Replay.RunAsync(DateTimeOffset.UnixEpoch, null, None);

        result.ShouldBe(new ReplayResult(Generations: 2, GenerationsRaised: 1, Sessions: 4, SessionsEnded: 4, FamiliesEnded: 0));
        again.ShouldBe(result with { GenerationsRaised = 0, SessionsEnded = 0 });
        foreach (var ended in new[] { revoked, old, everywhere, orphan })
        {
            (await after.IsValidAsync(ended)).ShouldBeFalse();
        }

        (await after.IsValidAsync(kept)).ShouldBeTrue();
        (await after.IsValidAsync(rotated)).ShouldBeTrue();
    }

    [Fact]
    public async Task ArchiveKeepsNoToken_AndNoSecretStandsInItsRows()
    {
        var session = await host.LogInAsync(user);

        var rows = await postgresDatabase.ListAsync<string>("SELECT s::text || encode(s.record, 'escape') FROM archive_sessions s");

        rows.ShouldHaveSingleItem().ShouldNotContain(session.Token.Value[17..]);
        rows[0].ShouldContain(session.Token.Id.Value);
    }
}
