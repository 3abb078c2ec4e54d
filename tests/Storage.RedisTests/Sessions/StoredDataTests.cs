using System.Text;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <summary>Rules 1, 6 and 9: no secret is stored, every key has a TTL, what is not ours or not known is left alone. Alone on its server.</summary>
public sealed class StoredDataTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    public Task InitializeAsync() => redis.Server.FlushAllAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData("")]
    [InlineData("shop:auth:")]
    public async Task EveryKey_HasATtl_MatchesTheGrammar_AndHoldsNoSecret_AfterEveryOperation(string prefix)
    {
        await using var harness = NewHarness(prefix, new SessionOptions { RenewalInterval = TimeSpan.Zero, MaxSessionsPerUser = 3 });
        var user = StoreHarness.NewUserId();
        List<SessionToken> tokens = [];
        async Task<IssuedSession> LogInAsync()
        {
            var session = await harness.Store.CreateAsync(new NewSession { UserId = user, SlidingExpiration = TimeSpan.FromSeconds(90.0001) }, None);
            tokens.Add(session.Token);
            return session;
        }

        IssuedSession issued = await LogInAsync();
        Func<Task>[] operations =
        [
            () => Task.CompletedTask,
            async () => await harness.Store.ValidateAsync(issued.Token.Value, None),
            async () =>
            {
                issued = (await harness.Store.RotateAsync(issued.Token.Value, new SessionChanges { Reauthenticated = true }, None)).Issued!;
                tokens.Add(issued.Token);
            },
            LogInAsync, LogInAsync, LogInAsync, LogInAsync,
            async () => await harness.Store.RevokeAsync(user, tokens[^1].Id, None),
            async () => issued = await LogInAsync(),
            async () => await harness.Store.RevokeAllAsync(user, issued.Token.Id, None),
            async () => await harness.Store.ValidateAsync(issued.Token.Value, None),
            async () => await harness.Store.RevokeAllAsync(user, null, None),
        ];
        foreach (var operation in operations)
        {
            await operation();

            foreach (var key in await redis.Server.KeysAsync())
            {
                harness.Keys.TryParse(key, out var parsed).ShouldBeTrue(key);
                var ttl = await redis.Server.TtlAsync(key);
                (ttl > 0 || ttl == -2).ShouldBeTrue($"{key} has a TTL of {ttl}");
                if (parsed.Kind == StateKind.SessionIndex && ttl > 0)
                {
                    var last = await redis.Server.ListAsync("ZRANGE", key, "-1", "-1", "WITHSCORES");
                    (await redis.Server.IntegerAsync("PEXPIRETIME", key)).ShouldBe(long.Parse(last[1]), "an index lives as long as its longest session");
                }
            }

            AssertHoldsNone(await redis.Server.DumpAsync(), tokens);
        }
    }

    [Fact]
    public async Task Ttls_AreRoundedUp_NeverToZero()
    {
        await using var harness = NewHarness("", new SessionOptions { RotationGrace = TimeSpan.FromMicroseconds(1), AbsoluteExpiration = TimeSpan.FromHours(24) + TimeSpan.FromTicks(1) });
        var issued = await harness.Store.CreateAsync(
            new NewSession { UserId = StoreHarness.NewUserId(), SlidingExpiration = TimeSpan.FromSeconds(100.001) }, None);

        issued.Session.SlidingExpiration.ShouldBe(TimeSpan.FromSeconds(101));
        (await harness.Store.RotateAsync(issued.Token.Value, new SessionChanges(), None)).Outcome.ShouldBe(RotationOutcome.Rotated);
    }

    [Fact]
    public async Task Logs_ShowTenCharactersOfAnIdAtMost_AndNeverAToken()
    {
        await using var harness = NewHarness("", new SessionOptions { RenewalInterval = TimeSpan.Zero });
        var torn = await harness.LogInAsync(StoreHarness.NewUserId());
        var newer = await harness.LogInAsync(StoreHarness.NewUserId());
        var refused = await harness.LogInAsync(StoreHarness.NewUserId());
        await redis.Server.PlantAsync(harness.RecordKey(torn), [1, 0, 7]);
        await redis.Server.PatchAsync(harness.RecordKey(newer), 0, 3);
        var before = await redis.Server.StringAsync("GET", harness.GenerationKey(refused.Session.UserId));
        await redis.Server.ExecuteAsync("DEL", harness.IndexKey(refused.Session.UserId));
        await redis.Server.ExecuteAsync("SET", harness.IndexKey(refused.Session.UserId), "not an index");

        foreach (var issued in new[] { torn, newer, refused })
        {
            await harness.ValidateAsync(issued);
        }

        before.ShouldNotBeNull();
        harness.Log.Entries.Select(entry => entry.Event.Id).ShouldBeSubsetOf([1000, 1001, 1100, 1101, 1102]);
        foreach (var id in new[] { 1100, 1101, 1102 })
        {
            harness.Log.WithEvent(id).ShouldNotBeEmpty();
        }

        var texts = harness.Log.Entries
            .SelectMany(entry => new[] { entry.Message, entry.Error?.ToString() ?? "" }.Concat(entry.Values.Values.Select(value => $"{value}")))
            .Select(Encoding.UTF8.GetBytes)
            .ToList();
        AssertHoldsNone(texts, [torn.Token, newer.Token, refused.Token]);
        foreach (var issued in new[] { torn, newer, refused })
        {
            texts.ShouldAllBe(text => !Encoding.UTF8.GetString(text).Contains(issued.Token.Id.Value.Substring(0, 11)));
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(200)]
    public async Task RecordOfAnUnknownVersion_IsNeverChangedOrRemoved_ByAnyOperation(byte version)
    {
        await using var harness = NewHarness("", new SessionOptions { RenewalInterval = TimeSpan.Zero, MaxSessionsPerUser = 1 });
        var user = StoreHarness.NewUserId();
        var newer = await harness.LogInAsync(user);
        await redis.Server.PatchAsync(harness.RecordKey(newer), 0, version);
        var record = await redis.Server.ValueAsync(harness.RecordKey(newer));

        (await harness.ValidateAsync(newer)).Denial.ShouldBe(SessionDenial.Unreadable);
        harness.Log.WithEvent(1102).ShouldHaveSingleItem().Message.ShouldContain($"{version}");
        (await harness.Store.GetAsync(user, newer.Token.Id, None)).ShouldBeNull();
        (await harness.Store.ListAsync(user, None)).ShouldBeEmpty();
        (await harness.Store.RotateAsync(newer.Token.Value, new SessionChanges(), None)).Denial.ShouldBe(SessionDenial.Unreadable);
        (await Should.ThrowAsync<UnsupportedRecordException>(() => harness.Store.RevokeAsync(user, newer.Token.Id, None))).Message.ShouldNotContain(newer.Token.Id.Value);
        var second = await harness.LogInAsync(user);
        second.EvictedSessions.ShouldBe(0);
        (await harness.LogInAsync(user)).EvictedSessions.ShouldBe(1);
        (await harness.Store.RevokeAllAsync(user, newer.Token.Id, None)).ShouldBe(new RevokedSessions(1, false));

        (await redis.Server.ValueAsync(harness.RecordKey(newer))).ShouldBe(record);
        (await harness.ValidateAsync(newer)).IsValid.ShouldBeFalse();
    }

    [Fact]
    public async Task KeysThatADamagedIndexNames_AreNotDeletedForIt()
    {
        await using var harness = NewHarness("", new SessionOptions { MaxSessionsPerUser = 2 });
        var user = StoreHarness.NewUserId();
        await harness.LogInAsync(user);
        var prefix = harness.Keys.SessionsOf(UserReference.Of(user));
        foreach (var name in new[] { "x", "abcdefghijklmnopqrst/:", "abcdefghijklmnopqrstuv" })
        {
            await redis.Server.ExecuteAsync("SET", prefix + name, "someone else's");
            await redis.Server.ExecuteAsync("ZADD", harness.IndexKey(user), "1", name);
        }

        await harness.LogInAsync(user);
        await harness.LogInAsync(user);
        await harness.Store.RevokeAllAsync(user, null, None);

        (await redis.Server.KeysAsync(prefix.Replace("{", "\\{") + "*")).Count.ShouldBe(3);
    }

    [Fact]
    public async Task LogIn_MendsTheScoreOfALiveSession_AndDropsExpiredMembers()
    {
        await using var harness = NewHarness("", new SessionOptions());
        var user = StoreHarness.NewUserId();
        var live = await harness.LogInAsync(user);
        await redis.Server.ExecuteAsync("ZADD", harness.IndexKey(user), "5", live.Token.Id.Value, "6", "abcdefghijklmnopqrstuv");

        await harness.LogInAsync(user);

        (await redis.Server.IntegerAsync("ZCARD", harness.IndexKey(user))).ShouldBe(2);
        var score = long.Parse((await redis.Server.StringAsync("ZSCORE", harness.IndexKey(user), live.Token.Id.Value))!);
        score.ShouldBeInRange(live.Session.ExpiresAt.ToUnixTimeMilliseconds() - 5, live.Session.ExpiresAt.ToUnixTimeMilliseconds() + 5);
    }

    [Fact]
    public async Task InfiniteScore_DoesNotStopALogIn()
    {
        await using var harness = NewHarness("", new SessionOptions());
        var user = StoreHarness.NewUserId();
        await redis.Server.ExecuteAsync("ZADD", harness.IndexKey(user), "inf", "abcdefghijklmnopqrstuv");

        (await harness.ValidateAsync(await harness.LogInAsync(user))).IsValid.ShouldBeTrue();
        (await redis.Server.TtlAsync(harness.IndexKey(user))).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task WrongTypeUnderARecordsName_Denies_AndIsLeftAlone()
    {
        await using var harness = NewHarness("", new SessionOptions());
        var user = StoreHarness.NewUserId();
        var issued = await harness.LogInAsync(user);
        await redis.Server.ExecuteAsync("DEL", harness.RecordKey(issued));
        await redis.Server.ExecuteAsync("HSET", harness.RecordKey(issued), "a", "b");

        (await harness.ValidateAsync(issued)).IsValid.ShouldBeFalse();
        (await harness.Store.GetAsync(user, issued.Token.Id, None)).ShouldBeNull();
        (await harness.Store.RotateAsync(issued.Token.Value, new SessionChanges(), None)).Outcome.ShouldBe(RotationOutcome.Denied);
        (await harness.Store.RevokeAsync(user, issued.Token.Id, None)).ToBoolean().ShouldBeFalse();
        await harness.Store.RevokeAllAsync(user, null, None);
        (await redis.Server.StringAsync("HGET", harness.RecordKey(issued), "a")).ShouldBe("b");
        await redis.Server.ExecuteAsync("DEL", harness.RecordKey(issued));
    }

    [Fact]
    public async Task WrongTypeUnderAnIndexsName_RefusesALogInWhole_AndNoRevocation()
    {
        await using var harness = NewHarness("", new SessionOptions());
        var user = StoreHarness.NewUserId();
        var (first, second) = (await harness.LogInAsync(user), await harness.LogInAsync(user));
        await redis.Server.ExecuteAsync("DEL", harness.IndexKey(user));
        await redis.Server.ExecuteAsync("SET", harness.IndexKey(user), "not an index", "EX", "100");
        var before = (await redis.Server.KeysAsync()).Count;

        (await Should.ThrowAsync<StackExchange.Redis.RedisServerException>(() => harness.LogInAsync(user))).Message.ShouldContain("WRONGTYPE");
        (await redis.Server.KeysAsync()).Count.ShouldBe(before);
        (await harness.Store.RevokeAsync(user, first.Token.Id, None)).ToBoolean().ShouldBeTrue();
        (await harness.Store.RevokeAllAsync(user, null, None)).KeptSession.ShouldBeFalse();
        (await harness.ValidateAsync(first)).IsValid.ShouldBeFalse();
        (await harness.ValidateAsync(second)).IsValid.ShouldBeFalse();
        (await redis.Server.StringAsync("GET", harness.IndexKey(user))).ShouldBe("not an index");
    }

    [Fact]
    public async Task WrongTypeUnderAGenerationsName_Denies()
    {
        await using var harness = NewHarness("", new SessionOptions());
        var issued = await harness.LogInAsync(StoreHarness.NewUserId());
        await redis.Server.ExecuteAsync("DEL", harness.GenerationKey(issued.Session.UserId));
        await redis.Server.ExecuteAsync("RPUSH", harness.GenerationKey(issued.Session.UserId), $"{issued.Session.Generation}");

        (await harness.ValidateAsync(issued)).Denial.ShouldBe(SessionDenial.Revoked);
        await redis.Server.ExecuteAsync("DEL", harness.GenerationKey(issued.Session.UserId));
    }

    [Fact]
    public async Task NeighbouringVersions_ShareOneRedis()
    {
        await using var older = NewHarness("", new SessionOptions { RecordFormat = 1 }, new SessionScripts { NewestKnownFormat = 1 });
        await using var newer = NewHarness("", new SessionOptions { RecordFormat = 1 });
        await using var upgraded = NewHarness("", new SessionOptions { RecordFormat = 2 });
        var user = StoreHarness.NewUserId();

        var shared = await newer.LogInAsync(user);
        (await older.ValidateAsync(shared)).IsValid.ShouldBeTrue("the newer program writes the older format until told otherwise");
        (await upgraded.ValidateAsync(await older.LogInAsync(user))).IsValid.ShouldBeTrue();

        var second = await upgraded.LogInAsync(user);
        (await newer.ValidateAsync(second)).IsValid.ShouldBeTrue();
        (await older.ValidateAsync(second)).Denial.ShouldBe(SessionDenial.Unreadable);
        older.Log.WithEvent(1102).ShouldHaveSingleItem().Message.ShouldContain("format 2");

        // A program set to the older format never takes a record back to it.
        var rotated = (await newer.Store.RotateAsync(second.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        (await redis.Server.ValueAsync(newer.RecordKey(rotated)))[0].ShouldBe((byte)2);
    }

    private StoreHarness NewHarness(string prefix, SessionOptions options, SessionScripts? scripts = null)
    {
        var patient = StoreHarness.Patient(redis.Server.Url);
        patient.KeyPrefix = prefix;
        return new StoreHarness(patient, options, scripts);
    }

    private static void AssertHoldsNone(IReadOnlyList<byte[]> texts, IReadOnlyList<SessionToken> tokens)
    {
        texts.ShouldNotBeEmpty();
        foreach (var token in tokens)
        {
            var secret = token.Value[17..];
            byte[][] forms = [Encoding.ASCII.GetBytes(secret[..12]), System.Buffers.Text.Base64Url.DecodeFromChars(secret)[..8]];
            foreach (var text in texts)
            {
                forms.Any(form => text.AsSpan().IndexOf(form) >= 0).ShouldBeFalse(Encoding.UTF8.GetString(text));
            }
        }
    }
}
