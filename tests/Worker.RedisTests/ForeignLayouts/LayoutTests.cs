using Maintenance.Testing;
using Maintenance.Worker.ForeignLayouts;

namespace Maintenance.Worker.RedisTests.ForeignLayouts;

/// <summary>What a pass finds and mends, the same for every program.</summary>
public sealed class LayoutTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private const int Users = 40;

    public Task InitializeAsync() => redis.Server.FlushAllAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData("express")]
    [InlineData("spring")]
    [InlineData("named")]
    [InlineData("hashes")]
    public async Task Repair_MendsWhatTwoPassesSaw_AndOnlyThat(string name)
    {
        var program = ForeignHarness.Create(name, redis.Server.ExecuteRawAsync);
        await using var harness = new ForeignHarness(redis.Server, program);
        using var repairs = new MetricCollector<long>(harness.Meters, "maintenance.index.repairs");
        var sessions = await PopulateAsync(program);
        await DamageAsync(program, sessions);
        var scores = program.ScoresExpiry ? 1 : 0;
        var expired = program.ScoresExpiry ? 1 : 0;
        var before = await StateAsync(program, sessions);

        var (first, found) = await harness.RunAsync();

        // 2 sessions gone; 1 member lost, and an index of 2; a score.
        (found.Dangling, found.Missing, found.WrongExpiry).ShouldBe((2, 3, scores));
        (first.Count($"drift_{name}_dangling"), first.Count($"drift_{name}_missing"), first.Count($"drift_{name}_wrong_expiry")).ShouldBe((2, 3, scores));
        first.Count($"expired_members_removed_{name}").ShouldBe(expired);
        (harness.Mended(first), first.Count($"foreign_{name}_waiting")).ShouldBe((0, 5 + scores + expired));
        (await StateAsync(program, sessions)).ShouldBe(before);

        var (second, _) = await harness.RunAsync();
        (harness.Mended(second), second.Count($"foreign_{name}_waiting")).ShouldBe((5 + scores + expired, 0));
        second.Count($"foreign_{name}_expired_removed").ShouldBe(expired);
        foreach (var (user, session) in sessions)
        {
            (await program.IsListedAsync(user, session)).ShouldBe(await program.LivesAsync(user, session), $"{user} {session}");
        }

        (await program.LengthAsync("u3")).ShouldBe(2);
        if (program.ScoresExpiry)
        {
            Math.Abs(await program.ScoreAsync("u4", sessions.First(each => each.User == "u4").Session) * program.Options.PerScore() - EndsOf(program))
                .ShouldBeLessThan(TimeSpan.FromMinutes(1).TotalMilliseconds);
        }

        var (third, clean) = await harness.RunAsync();
        (clean.Dangling, clean.Missing, clean.WrongExpiry, harness.Mended(third)).ShouldBe((0, 0, 0, 0));
        (clean.Users, clean.Sessions).ShouldBe((Users, (Users * 2) - 2));
        (await redis.Server.KeysAsync("maintenance:*")).ShouldBeEmpty();
        repairs.Sum(("keyspace", name), ("kind", "missing")).ShouldBe(3);
    }

    [Theory]
    [InlineData("express")]
    [InlineData("hashes")]
    public async Task Report_FindsTheSameEachTime_AndChangesNothing(string name)
    {
        var program = ForeignHarness.Create(name, redis.Server.ExecuteRawAsync);
        await using var harness = new ForeignHarness(redis.Server, program, KeySpaceAction.Report);
        await DamageAsync(program, await PopulateAsync(program));
        var before = await SweepHarness.DumpAsync(redis.Server);

        for (var pass = 0; pass < 3; pass++)
        {
            var (report, found) = await harness.RunAsync();
            (found.Dangling, found.Missing, harness.Mended(report)).ShouldBe((2, 3, 0));
        }

        (await SweepHarness.DumpAsync(redis.Server)).ShouldBe(before);
    }

    [Fact]
    public async Task DryRun_FindsTheSame_AndChangesNothing_ThoughItMayRepair()
    {
        var program = new ExpressProgram(redis.Server.ExecuteRawAsync);
        await using var harness = new ForeignHarness(redis.Server, program);
        await DamageAsync(program, await PopulateAsync(program));
        var before = await SweepHarness.DumpAsync(redis.Server);

        await harness.RunAsync(dryRun: true);
        var (_, found) = await harness.RunAsync(dryRun: true);

        (found.Dangling, found.Missing).ShouldBe((2, 3));
        (await SweepHarness.DumpAsync(redis.Server)).ShouldBe(before);
    }

    [Fact]
    public async Task IndexThatIsPutBack_EndsWithItsLongestSession_WhereTheProgramGivesIndexesAnEnd()
    {
        var program = new HashProgram(redis.Server.ExecuteRawAsync);
        await using var harness = new ForeignHarness(redis.Server, program);
        var session = await program.LogInAsync("ann");
        await program.LogInAsync("bob");
        await program.LoseIndexAsync("ann");
        await redis.Server.ExecuteAsync("EXPIRE", program.IndexKey("bob"), "60");
        await program.StartAsync("bob", program.NewSession());
        // Without an end although it should have one: it may have members that live longer than the one that is put back.
        await program.LogInAsync("carl");
        await redis.Server.ExecuteAsync("PERSIST", program.IndexKey("carl"));
        await program.StartAsync("carl", program.NewSession());

        await harness.RunAsync();
        await harness.RunAsync();

        (await program.IsListedAsync("ann", session)).ShouldBeTrue();
        (await redis.Server.IntegerAsync("TTL", program.IndexKey("ann"))).ShouldBeInRange(86_000, 86_400);
        (await redis.Server.IntegerAsync("TTL", program.IndexKey("bob"))).ShouldBeInRange(86_000, 86_400);
        (await program.LengthAsync("carl")).ShouldBe(2);
        (await redis.Server.IntegerAsync("TTL", program.IndexKey("carl"))).ShouldBe(-1);
    }

    [Fact]
    public async Task IndexThatIsPutBack_HasNoEnd_WhereTheProgramWouldNotExtendIt()
    {
        var program = new ExpressProgram(redis.Server.ExecuteRawAsync);
        await using var harness = new ForeignHarness(redis.Server, program);
        await program.LogInAsync("ann");
        await program.LogInAsync("bob");
        await program.LoseIndexAsync("ann");

        await harness.RunAsync();
        await harness.RunAsync();

        (await redis.Server.IntegerAsync("TTL", program.IndexKey("ann"))).ShouldBe(-1);
    }

    private static long EndsOf(ForeignProgram program) => TimeProvider.System.GetUtcNow().Add(ForeignProgram.Life).ToUnixTimeMilliseconds();

    private static async Task<List<(string User, string Session)>> PopulateAsync(ForeignProgram program)
    {
        var sessions = new List<(string, string)>();
        for (var user = 0; user < Users; user++)
        {
            sessions.Add(($"u{user}", await program.LogInAsync($"u{user}")));
            sessions.Add(($"u{user}", await program.LogInAsync($"u{user}")));
        }

        return sessions;
    }

    private static async Task DamageAsync(ForeignProgram program, List<(string User, string Session)> sessions)
    {
        string Of(string user) => sessions.First(each => each.User == user).Session;
        await program.EndAsync("u0", Of("u0"));
        await program.EndAsync("u1", Of("u1"));
        await program.UnlistAsync("u2", Of("u2"));
        await program.LoseIndexAsync("u3");
        if (program.ScoresExpiry)
        {
            await program.ScoreAsync("u4", Of("u4"), $"{TimeProvider.System.GetUtcNow().AddHours(3).ToUnixTimeMilliseconds() / program.Options.PerScore()}");
            await program.ScoreAsync("u5", program.NewSession(), $"{TimeProvider.System.GetUtcNow().AddHours(-3).ToUnixTimeMilliseconds() / program.Options.PerScore()}");
        }
    }

    private static async Task<string> StateAsync(ForeignProgram program, List<(string User, string Session)> sessions)
    {
        var lines = new List<string>();
        foreach (var (user, session) in sessions)
        {
            lines.Add($"{user} {session} {await program.IsListedAsync(user, session)} {await program.LengthAsync(user)}");
        }

        return string.Join('\n', lines);
    }
}

internal static class KeySpaceOptionsScore
{
    public static long PerScore(this KeySpaceOptions options) => options.Score == ScoreMeaning.ExpirySeconds ? 1000 : 1;
}
