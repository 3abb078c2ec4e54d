using Maintenance.Testing;
using Maintenance.Worker.ForeignLayouts;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.ForeignLayouts;

/// <summary>What a pass leaves alone.</summary>
public sealed class SafetyTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private ExpressProgram program = null!;

    public async Task InitializeAsync()
    {
        await redis.Server.FlushAllAsync();
        program = new ExpressProgram(redis.Server.ExecuteRawAsync);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task NothingIsMended_WithinTheGrace()
    {
        await using var harness = new ForeignHarness(redis.Server, program, grace: TimeSpan.FromHours(1));
        await program.LogInAsync("ann");
        var gone = await program.LogInAsync("ann");
        await program.EndAsync("ann", gone);

        await harness.RunAsync();
        var (report, found) = await harness.RunAsync();

        (found.Dangling, report.Count("foreign_express_waiting"), harness.Mended(report)).ShouldBe((1, 1, 0));
        (await program.IsListedAsync("ann", gone)).ShouldBeTrue();
    }

    [Fact]
    public async Task LogInThatWritesItsIndexFirst_IsNotTakenForDamage()
    {
        await using var harness = new ForeignHarness(redis.Server, program);
        await program.LogInAsync("ann");
        var session = program.NewSession();
        await program.ListAsync("ann", session);
        (await harness.RunAsync()).Found.Dangling.ShouldBe(1);

        await program.StartAsync("ann", session);

        (await harness.RunAsync()).Found.Dangling.ShouldBe(0);
        (await program.IsListedAsync("ann", session)).ShouldBeTrue();
    }

    [Fact]
    public async Task WhatIsRightInBetween_IsSeenForTheFirstTimeAfterwards()
    {
        await using var harness = new ForeignHarness(redis.Server, program);
        await program.LogInAsync("ann");
        var session = await program.LogInAsync("ann");
        await program.EndAsync("ann", session);
        await harness.RunAsync();
        await program.StartAsync("ann", session);
        await harness.RunAsync();
        await program.EndAsync("ann", session);

        var (report, _) = await harness.RunAsync();

        (report.Count("foreign_express_waiting"), harness.Mended(report)).ShouldBe((1, 0));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Mend_DoesNothing_WhenTheStoreHasChangedSinceTheLook(bool dangling)
    {
        await using var harness = new ForeignHarness(redis.Server, program);
        var session = await program.LogInAsync("ann");
        var repair = new ForeignRepair(harness.Connection, new KeySpace("express", program.Options), cluster: false);
        var suspect = new ForeignSuspect(
            dangling ? ForeignDrift.Dangling : ForeignDrift.Missing, session, "ann", System.Text.Encoding.UTF8.GetBytes(session), double.NaN);

        // Its session lives, and it is a member: neither is so.
        (await repair.IsStillSoAsync(suspect, CancellationToken.None)).ShouldBeFalse();
        (await repair.MendAsync(suspect, CancellationToken.None)).ShouldBeFalse();
        (await program.IsListedAsync("ann", session)).ShouldBeTrue();

        // Logged out after the look: nothing is put back.
        await program.LogOutAsync("ann", session);
        (await repair.MendAsync(suspect, CancellationToken.None)).ShouldBeFalse();
        (await program.IsListedAsync("ann", session)).ShouldBeFalse();
    }

    [Fact]
    public async Task Mend_DoesNothing_WhenTheProgramHasWrittenTheMemberAgain()
    {
        var hashes = new HashProgram(redis.Server.ExecuteRawAsync);
        await using var harness = new ForeignHarness(redis.Server, hashes);
        var session = await hashes.LogInAsync("ann");
        var score = await hashes.ScoreAsync("ann", session);
        await hashes.EndAsync("ann", session);
        var repair = new ForeignRepair(harness.Connection, new KeySpace("hashes", hashes.Options), cluster: false);
        var seen = new ForeignSuspect(ForeignDrift.Dangling, session, "ann", System.Text.Encoding.UTF8.GetBytes(hashes.SessionKey("ann", session)), score);
        await hashes.ScoreAsync("ann", session, $"{score + 1}");

        (await repair.MendAsync(seen, CancellationToken.None)).ShouldBeFalse();
        (await hashes.IsListedAsync("ann", session)).ShouldBeTrue();
        (await repair.MendAsync(seen with { Score = score + 1 }, CancellationToken.None)).ShouldBeTrue();
        (await hashes.IsListedAsync("ann", session)).ShouldBeFalse();
    }

    [Fact]
    public async Task Brake_StopsAPassThatWouldRemoveTooMuch_AndChangesNothing()
    {
        await using var harness = new ForeignHarness(redis.Server, program);
        for (var user = 0; user < 20; user++)
        {
            await program.LogInAsync($"u{user}");
            await program.EndAsync($"u{user}", await program.LogInAsync($"u{user}"));
        }

        var brake = new BrakeOptions { Share = 0.2, Minimum = 5 };
        await harness.RunAsync(brake: brake);
        var (dry, _) = await harness.RunAsync(dryRun: true, brake: brake);
        dry.Close().Warnings.ShouldContain(warning => warning.Contains("brake", StringComparison.Ordinal));

        var stopped = await Should.ThrowAsync<BrakeException>(() => harness.RunAsync(brake: brake));

        stopped.Message.ShouldContain("20 of 40 members and sessions of KeySpaces:express");
        (await program.LengthAsync("u0")).ShouldBe(2);
        // What was seen is not forgotten: with the brake raised the next pass mends.
        harness.Mended((await harness.RunAsync()).Report).ShouldBe(20);
    }

    [Theory]
    [InlineData("session:{session}", "user_sessions:{user}", "KeySpaces:express:Sessions")]
    [InlineData("sess:{session}", "user:sessions:{user}", "KeySpaces:express:Index")]
    public async Task WrongPattern_IsWarnedOf_AndNothingIsMended(string sessions, string index, string setting)
    {
        var user = await program.LogInAsync("ann");
        program.Options.Sessions = sessions;
        program.Options.Index = index;
        await using var harness = new ForeignHarness(redis.Server, program);

        await harness.RunAsync();
        var (report, _) = await harness.RunAsync();

        report.Close().Warnings.ShouldHaveSingleItem().ShouldContain(setting);
        harness.Mended(report).ShouldBe(0);
        (await redis.Server.KeysAsync()).Order(StringComparer.Ordinal).ShouldBe([$"sess:{user}", "user_sessions:ann"]);
    }

    [Fact]
    public async Task SessionsWithoutAUser_AndOfAnotherUser_AndWhatIsNoSession_AreCountedAndLeftAlone()
    {
        await using var harness = new ForeignHarness(redis.Server, program);
        var session = await program.LogInAsync("ann");
        await redis.Server.ExecuteAsync("SET", "sess:anonymous", """{"cookie":{}}""");
        await redis.Server.ExecuteAsync("SET", "sess:broken", "no json", "EX", "600");
        await redis.Server.ExecuteAsync("HSET", "sess:hash", "a", "b");
        await redis.Server.ExecuteAsync("SET", "sess:huge", new string('x', 70_000), "EX", "600");
        await redis.Server.ExecuteAsync("SADD", "user_sessions:bob", session, "anonymous");
        await redis.Server.ExecuteAsync("SADD", "user_sessions:carl", "with:colon");
        await redis.Server.ExecuteAsync("SET", "user_sessions:dora", "a string");

        await harness.RunAsync();
        var (report, found) = await harness.RunAsync();

        (found.Dangling, found.Missing, harness.Mended(report)).ShouldBe((0, 0, 0));
        // Three values, a member, an index.
        report.Count("foreign_values").ShouldBe(5);
        (report.Count("foreign_express_without_user"), report.Count("foreign_express_without_ttl")).ShouldBe((4, 2));
        report.Count("foreign_express_of_another_user").ShouldBe(1);
        (await redis.Server.IntegerAsync("SCARD", "user_sessions:bob")).ShouldBe(2);
    }

    [Fact]
    public async Task WhatIsOursToTheLetter_IsNeverAnothersKey()
    {
        await using var sweep = new SweepHarness(redis.Server);
        var session = await sweep.LogInAsync(SweepHarness.NewUserId());
        var named = new NamedProgram(redis.Server.ExecuteRawAsync);
        await named.LogInAsync("ann");
        await using var harness = new ForeignHarness(redis.Server, named);

        var (_, found) = await harness.RunAsync();
        await harness.RunAsync();

        (found.Sessions, found.Users, found.Dangling, found.Missing).ShouldBe((1, 1, 0, 0));
        (await sweep.IsValidAsync(session)).ShouldBeTrue();
        await redis.Server.ExecuteAsync("DEL", named.IndexKey("ann"));
        await sweep.ShouldAgreeAsync();
    }

    [Fact]
    public async Task StoreWithMoreSessionsThanAllowed_IsAnError_ThatNamesTheSetting()
    {
        await using var harness = new ForeignHarness(redis.Server, program, mostSessions: 3);
        for (var user = 0; user < 5; user++)
        {
            await program.LogInAsync("ann");
        }

        (await harness.FailAsync()).ShouldHaveSingleItem().ShouldContain("Jobs:IndexReconciliation:MaxSessionsInMemory");
    }

    [Fact]
    public async Task UserWithoutTheRights_IsAnError_ThatSaysWhichSetting_AndNoId()
    {
        var session = await program.LogInAsync("ann");
        await redis.Server.ExecuteAsync("ACL", "SETUSER", "default", "-sscan");
        try
        {
            await using var harness = new ForeignHarness(redis.Server, program);
            var error = (await harness.FailAsync()).ShouldHaveSingleItem();
            error.ShouldContain("KeySpaces");
            error.ShouldContain("sscan");
            error.ShouldNotContain(session);
        }
        finally
        {
            await redis.Server.ExecuteAsync("ACL", "SETUSER", "default", "+@all");
        }
    }

    /// <summary>docs/worker.md says what a user with the rights of deploy/redis/users.acl needs besides.</summary>
    [Fact]
    public async Task DocumentedRights_AreEnough()
    {
        var document = await File.ReadAllLinesAsync(Path.Combine(BuiltProgram.RepositoryRoot, "docs", "worker.md"));
        var rights = document.Single(line => line.StartsWith("(~sess:*", StringComparison.Ordinal));
        await redis.Server.ExecuteAsync([.. await OwnRightsAsync(), rights]);
        await program.LogInAsync("ann");
        await program.UnlistAsync("ann", await program.LogInAsync("ann"));
        await program.EndAsync("ann", await program.LogInAsync("ann"));
        await using var harness = new ForeignHarness(redis.Server, program, user: "worker", password: "a password");

        await harness.RunAsync();
        var (report, _) = await harness.RunAsync();

        harness.Mended(report).ShouldBe(2);
        await redis.Server.ExecuteAsync("ACL", "DELUSER", "worker");
    }

    [Fact]
    public async Task WhatIsKeptBetweenPasses_HoldsNoId_AndEnds()
    {
        await using var harness = new ForeignHarness(redis.Server, program);
        await program.LogInAsync("ann");
        var session = await program.LogInAsync("ann");
        await program.EndAsync("ann", session);

        await harness.RunAsync();

        var kept = await redis.Server.StringAsync("GET", "maintenance:keyspace:express");
        kept.ShouldNotBeNull().ShouldNotContain(session);
        (await redis.Server.IntegerAsync("STRLEN", "maintenance:keyspace:express")).ShouldBe(24);
        (await redis.Server.IntegerAsync("TTL", "maintenance:keyspace:express")).ShouldBeGreaterThan(0);
    }

    private static async Task<string[]> OwnRightsAsync()
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(BuiltProgram.RepositoryRoot, "deploy", "redis", "users.acl"));
        var rights = lines.SkipWhile(line => !line.StartsWith("user worker", StringComparison.Ordinal)).Skip(1).TakeWhile(line => line.StartsWith(' '))
            .SelectMany(line => line.Contains('(', StringComparison.Ordinal) ? [line.Trim()] : line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return ["ACL", "SETUSER", "worker", "reset", "on", ">a password", .. rights];
    }
}
