using Maintenance.Testing;

namespace Maintenance.Deploy.OpsTests.Redis;

/// <summary>Each program does its whole work under its user of deploy/redis/users.acl, and that user may do nothing more.</summary>
public sealed class UsersTests
{
    /// <summary>What a run on one Redis with line 1 of the client does not use, and why the file has it.</summary>
    private static readonly Dictionary<string, string> Excused = new(StringComparer.Ordinal)
    {
        ["cluster|info"] = "the probe asks it on a cluster",
        ["config|get"] = "the client asks it where it may",
        ["select"] = "with another database than 0",
        ["subscribe"] = "the client subscribes when a cache listens",
        ["unsubscribe"] = "the client unsubscribes when it closes",
        ["persist"] = "a data-protection key that was given a TTL by somebody else loses it again",
        ["eval"] = "after a SCRIPT FLUSH, and at the first use of a script",
        ["exists"] = "repairs of rare kinds",
        ["setex"] = "line 1 of the client sends it for SET with a time",
        ["unlink"] = "Jobs:SessionCleanup:MissingTtl = Remove",
        ["rename"] = "erasing what a stale generation left",
    };

    [Fact]
    public async Task Worker_RunsWholly_AndItsUserMayDoNothingMore()
    {
        await using var redis = await GuardedRedis.StartAsync("worker");
        await PlantAsync(redis);

        foreach (var job in (string[])["redis-health", "session-cleanup", "index-reconciliation", "memory-alerts", "keyspace-stats"])
        {
            var (exit, output) = await RunningProgram.VerbAsync(redis.Server.Url, "run", job, "--json");
            exit.ShouldBe(0, output);
            output.ShouldContain("\"unavailable\":[]", Case.Insensitive, $"{job}: what the user may not ask would stand here");
        }

        (await RunningProgram.VerbAsync(redis.Server.Url, "find", "user-7", "--scan")).Exit.ShouldBe(0);
        var paused = await RunningProgram.VerbAsync(redis.Server.Url, "pause", "--for", "00:10:00");
        paused.Exit.ShouldBe(0, $"{paused.Output} {string.Join(", ", await redis.RefusalsAsync())}");
        (await RunningProgram.VerbAsync(redis.Server.Url, "resume")).Exit.ShouldBe(0);
        // Slow pings of a busy machine are no matter of rights.
        (await RunningProgram.VerbAsync(redis.Server.Url, "check")).Exit.ShouldBeLessThan(2);
        await using (var worker = await RunningProgram.WorkerAsync(redis.Server.Url))
        {
            await Eventually.TrueAsync(() => HasMetricAsync(worker, "maintenance_sessions_active"), TimeSpan.FromMinutes(2));
        }

        await ShouldBeTheLeastAsync(redis, "worker");
    }

    [Fact]
    public async Task WebHost_RunsWholly_AndItsUserMayDoNothingMore()
    {
        await using var redis = await GuardedRedis.StartAsync("webhost");

        await using (var host = await RunningProgram.WebHostAsync(redis.Server.Url))
        {
            await host.JourneyAsync();
        }

        await using (var journey = new StorageJourney(redis.Server.Url))
        {
            try
            {
                await journey.RunAsync();
            }
            finally
            {
                (await redis.RefusalsAsync()).ShouldBeEmpty("users.acl lacks these");
            }
        }

        await ShouldBeTheLeastAsync(redis, "webhost");
    }

    [Theory]
    [InlineData("worker")]
    [InlineData("webhost")]
    public async Task DangerousCommands_AreRefused(string user)
    {
        await using var redis = await GuardedRedis.StartAsync(user);

        foreach (var command in (string[][])
        [
            ["FLUSHALL"], ["FLUSHDB"], ["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"], ["CONFIG", "REWRITE"], ["KEYS", "*"], ["DEBUG", "SLEEP", "0"],
            ["SHUTDOWN"], ["ACL", "LIST"], ["ACL", "SETUSER", "x"], ["MONITOR"], ["SCRIPT", "FLUSH"], ["FUNCTION", "FLUSH"], ["REPLICAOF", "NO", "ONE"], ["SAVE"],
            ["BGREWRITEAOF"], ["MODULE", "LIST"], ["CLIENT", "KILL", "TYPE", "normal"], ["CLIENT", "LIST"], ["SWAPDB", "0", "1"], ["MIGRATE", "h", "1", "k", "0", "1"],
            ["GET", "somebody:elses"], ["SET", "somebody:elses", "1"], ["DEL", "somebody:elses"], ["PUBLISH", "somebody:elses", "1"],
            ["EVAL", "return redis.call('SET', 'somebody:elses', '1')", "0"], ["EVAL", "return redis.call('FLUSHALL')", "0"],
        ])
        {
            var refusal = await Should.ThrowAsync<RespErrorException>(() => redis.Server.ExecuteAsync(command), string.Join(' ', command));
            // The configuration refuses DEBUG to everybody, before the user file is asked; a script's refusal has words of its own.
            refusal.Message.ShouldMatch("NOPERM|not allowed|user executing the script can't", string.Join(' ', command));
        }
    }

    [Fact]
    public async Task WorkersUser_MayWeighAForeignKey_AndNotReadIt_NorDataProtectionKeys()
    {
        await using var redis = await GuardedRedis.StartAsync("worker");
        await redis.AdminAsync("SET", "somebody:elses", "secret", "EX", "1000");
        await redis.AdminAsync("HSET", "dataprotection:ring", "key", "secret");

        (await redis.Server.IntegerAsync("MEMORY", "USAGE", "somebody:elses")).ShouldBePositive();
        (await redis.Server.IntegerAsync("PTTL", "somebody:elses")).ShouldBePositive();
        (await Should.ThrowAsync<RespErrorException>(() => redis.Server.ExecuteAsync("GET", "somebody:elses"))).Message.ShouldStartWith("NOPERM");
        (await Should.ThrowAsync<RespErrorException>(() => redis.Server.ExecuteAsync("HGETALL", "dataprotection:ring"))).Message.ShouldStartWith("NOPERM");
    }

    [Fact]
    public async Task WebHostsUser_MayReadTheWorkersResults_AndNotWriteThem()
    {
        await using var redis = await GuardedRedis.StartAsync("webhost");
        await redis.AdminAsync("SET", "maintenance:x", "1", "EX", "1000");

        (await redis.Server.StringAsync("GET", "maintenance:x")).ShouldBe("1");
        (await Should.ThrowAsync<RespErrorException>(() => redis.Server.ExecuteAsync("SET", "maintenance:x", "2"))).Message.ShouldStartWith("NOPERM");
    }

    private static async Task ShouldBeTheLeastAsync(GuardedRedis redis, string user)
    {
        (await redis.RefusalsAsync()).ShouldBeEmpty("users.acl lacks these");
        var used = await redis.UsedCommandsAsync();
        var allowed = UserFile.CommandsOf(user);
        used.Intersect(allowed).Count().ShouldBeGreaterThan(15);
        allowed.Where(command => !used.Contains(command) && !Excused.ContainsKey(command)).ShouldBeEmpty("users.acl has more than is used");
    }

    // A little of what each job mends: through the product, so that it is real, and damaged as admin.
    private static async Task PlantAsync(GuardedRedis redis)
    {
        await redis.UnrestrictAsync();
        await using (var journey = new StorageJourney(redis.Server.Url))
        {
            await journey.RunAsync();
            await journey.LeaveDamageAsync(redis);
        }

        await redis.AdminAsync("SET", "somebody:elses", "1", "EX", "1000");
        await redis.RestrictAsync();
    }

    private static async Task<bool> HasMetricAsync(RunningProgram worker, string name)
    {
        using var http = new HttpClient();
        return (await http.GetStringAsync(new Uri($"http://127.0.0.1:{worker.ManagementPort}/metrics"))).Contains($"\n{name} ", StringComparison.Ordinal);
    }
}
