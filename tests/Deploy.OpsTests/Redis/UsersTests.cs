using System.Globalization;
using Maintenance.Testing;

namespace Maintenance.Deploy.OpsTests.Redis;

/// <summary>
/// Each program does its whole work as its user of deploy/redis/users.acl, by the name that the client sends on its line 3, and that user may do nothing more.
/// </summary>
public sealed class UsersTests
{
    private static readonly HttpClient Http = new();

    private static readonly string[] Jobs = ["redis-health", "session-cleanup", "index-reconciliation", "memory-alerts", "keyspace-stats"];

    /// <summary>What a run on one Redis does not use, and why the file has it.</summary>
    private static readonly Dictionary<string, string> Excused = new(StringComparer.Ordinal)
    {
        ["cluster|info"] = "the probe asks it on a cluster",
        ["client|id"] = "the client asks it at the handshake of newer protocols",
        ["cluster|nodes"] = "the client asks it on a cluster",
        ["cluster|slots"] = "the client asks it on a cluster",
        ["asking"] = "on a cluster, while a slot moves",
        ["readonly"] = "the client says it to the replicas of a cluster",
        ["select"] = "with another database than 0",
        ["subscribe"] = "the client subscribes when a cache listens",
        ["unsubscribe"] = "the client unsubscribes when it closes",
        ["persist"] = "a data-protection key that was given a TTL by somebody else loses it again",
        ["eval"] = "after a SCRIPT FLUSH, and at the first use of a script",
        ["exists"] = "repairs of rare kinds",
        ["setex"] = "the client sends it for SET with a time",
        ["unlink"] = "Jobs:SessionCleanup:MissingTtl = Remove",
        ["rename"] = "erasing what a stale generation left",
    };

    [Fact]
    public async Task Worker_RunsWholly_AndItsUserMayDoNothingMore()
    {
        await using var redis = await GuardedRedis.StartAsync();
        await PlantAsync(redis);
        var url = redis.UrlOf("worker");

        foreach (var job in Jobs)
        {
            var (exit, output) = await RunningProgram.VerbAsync(url, "run", job, "--json");
            exit.ShouldBe(0, output);
            output.ShouldContain("\"unavailable\":[]", Case.Insensitive, $"{job}: what the user may not ask would stand here");
        }

        (await RunningProgram.VerbAsync(url, "find", "user-7", "--scan")).Exit.ShouldBe(0);
        var paused = await RunningProgram.VerbAsync(url, "pause", "--for", "00:10:00");
        paused.Exit.ShouldBe(0, $"{paused.Output} {string.Join(", ", await redis.RefusalsAsync())}");
        (await RunningProgram.VerbAsync(url, "resume")).Exit.ShouldBe(0);
        // Slow pings of a busy machine are no matter of rights.
        (await RunningProgram.VerbAsync(url, "check")).Exit.ShouldBeLessThan(2);
        await using (var worker = await RunningProgram.WorkerAsync(url))
        {
            await Eventually.TrueAsync(async () => await MetricAsync(worker, "maintenance_sessions_active") is not null, TimeSpan.FromMinutes(2));
            await ShouldBeConnectedAsync(redis, "worker");
        }

        await ShouldBeTheLeastAsync(redis, "worker");
    }

    [Fact]
    public async Task WebHost_RunsWholly_AndItsUserMayDoNothingMore()
    {
        await using var redis = await GuardedRedis.StartAsync();

        await using (var host = await RunningProgram.WebHostAsync(redis.UrlOf("webhost")))
        {
            await host.JourneyAsync();
            await ShouldBeConnectedAsync(redis, "webhost");
        }

        await using (var journey = new StorageJourney(redis.UrlOf("webhost"), redis.Prefix))
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

    [Fact]
    public async Task BothPrograms_Run_UnderAKeyPrefixThatTheUserFileKnows()
    {
        await using var redis = await GuardedRedis.StartAsync("prod:");
        await PlantAsync(redis);
        (string, string) prefix = (RunningProgram.KeyPrefix, redis.Prefix);

        await using (var host = await RunningProgram.WebHostAsync(redis.UrlOf("webhost"), prefix))
        await using (var worker = await RunningProgram.WorkerAsync(redis.UrlOf("worker"), prefix))
        {
            await host.JourneyAsync();
            foreach (var job in Jobs)
            {
                await Eventually.TrueAsync(async () => await MetricAsync(worker, $"maintenance_job_runs_total{{outcome=\"success\",task=\"{job}\"}}") > 0, TimeSpan.FromMinutes(2), job);
                (await MetricAsync(worker, $"maintenance_job_runs_total{{outcome=\"failed\",task=\"{job}\"}}")).ShouldBe(0, job);
            }

            (await MetricAsync(worker, "maintenance_index_repairs_total{keyspace=\"native\",kind=\"dangling\"}") ?? 0).ShouldBePositive("the damage lies under the prefix");
        }

        (await redis.RefusalsAsync()).ShouldBeEmpty();
        var keys = ((object?[])(await redis.AdminAsync("KEYS", "*"))!).Cast<string>().ToList();
        keys.Where(key => !key.StartsWith("prod:", StringComparison.Ordinal)).ShouldBe(["somebody:elses"]);
    }

    [Fact]
    public async Task DangerousCommands_AreRefused()
    {
        await using var redis = await GuardedRedis.StartAsync();

        foreach (var user in UserFile.Programs)
        {
            using var connection = await redis.LogInAsync(user);
            foreach (var command in (string[][])
            [
                ["FLUSHALL"], ["FLUSHDB"], ["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"], ["CONFIG", "REWRITE"], ["CONFIG", "RESETSTAT"],
                ["CONFIG", "GET", "masterauth"], ["CONFIG", "GET", "*"], ["KEYS", "*"],
                ["DEBUG", "SLEEP", "0"], ["SHUTDOWN"], ["ACL", "LIST"], ["ACL", "SETUSER", "x"], ["ACL", "GETUSER", "admin"], ["MONITOR"], ["SCRIPT", "FLUSH"],
                ["SCRIPT", "KILL"], ["FUNCTION", "FLUSH"], ["FUNCTION", "KILL"], ["REPLICAOF", "NO", "ONE"], ["FAILOVER"], ["SAVE"], ["BGREWRITEAOF"],
                ["MODULE", "LIST"], ["CLIENT", "KILL", "TYPE", "normal"], ["CLIENT", "LIST"], ["CLIENT", "PAUSE", "1000"], ["SWAPDB", "0", "1"],
                ["MIGRATE", "h", "1", "k", "0", "1"], ["RESTORE", "session:x", "0", "x"], ["DUMP", "session:x"], ["SORT", "session:x"],
                ["GET", "somebody:elses"], ["SET", "somebody:elses", "1"], ["DEL", "somebody:elses"], ["PUBLISH", "somebody:elses", "1"],
                ["EVAL", "return redis.call('SET', 'somebody:elses', '1')", "0"], ["EVAL", "return redis.call('FLUSHALL')", "0"],
            ])
            {
                var refusal = await Should.ThrowAsync<RespErrorException>(() => connection.ExecuteAsync(command), $"{user}: {string.Join(' ', command)}");
                // The configuration refuses DEBUG to everybody, before the user file is asked; a script's refusal has words of its own.
                refusal.Message.ShouldMatch("NOPERM|not allowed|user executing the script can't", $"{user}: {string.Join(' ', command)}");
            }
        }
    }

    [Fact]
    public async Task WorkersUser_MayWeighAForeignKey_AndNotReadIt_NorDataProtectionKeys()
    {
        await using var redis = await GuardedRedis.StartAsync("prod:");
        await redis.AdminAsync("SET", "session:of-somebody-else", "secret", "EX", "1000");
        await redis.AdminAsync("HSET", "prod:dataprotection:ring", "key", "secret");
        using var worker = await redis.LogInAsync("worker");

        ((long)(await worker.ExecuteAsync(["MEMORY", "USAGE", "session:of-somebody-else"]))!).ShouldBePositive();
        ((long)(await worker.ExecuteAsync(["PTTL", "session:of-somebody-else"]))!).ShouldBePositive();
        foreach (var command in (string[][])[["GET", "session:of-somebody-else"], ["DEL", "session:of-somebody-else"], ["HGET", "prod:dataprotection:ring", "key"]])
        {
            (await Should.ThrowAsync<RespErrorException>(() => worker.ExecuteAsync(command), string.Join(' ', command))).Message.ShouldStartWith("NOPERM");
        }
    }

    [Fact]
    public async Task WebHostsUser_MayReadTheWorkersResults_AndNotWriteThem()
    {
        await using var redis = await GuardedRedis.StartAsync("prod:");
        await redis.AdminAsync("SET", "prod:maintenance:x", "1", "EX", "1000");
        using var host = await redis.LogInAsync("webhost");

        (await host.ExecuteAsync(["GET", "prod:maintenance:x"])).ShouldBe("1");
        foreach (var command in (string[][])[["SET", "prod:maintenance:x", "2"], ["SET", "session:of-somebody-else", "1"], ["PUBLISH", "cache:invalidated", "x"]])
        {
            (await Should.ThrowAsync<RespErrorException>(() => host.ExecuteAsync(command), string.Join(' ', command))).Message.ShouldStartWith("NOPERM");
        }
    }

    // A connection is the default user's until it has said whose it is, and the programs open some again and again.
    private static Task ShouldBeConnectedAsync(GuardedRedis redis, string user) =>
        Eventually.SucceedsAsync(async () => (await redis.ConnectedUsersAsync()).ShouldBe(["admin", user], ignoreOrder: true), TimeSpan.FromMinutes(1));

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
        await using (var journey = new StorageJourney(redis.UrlOf("webhost"), redis.Prefix))
        {
            await journey.RunAsync();
            await journey.LeaveDamageAsync(redis);
        }

        await redis.AdminAsync("SET", "somebody:elses", "1", "EX", "1000");
        await redis.ForgetAsync();
    }

    /// <summary>A sample's value; null if there is none.</summary>
    private static async Task<double?> MetricAsync(RunningProgram worker, string series)
    {
        var text = await Http.GetStringAsync(new Uri($"http://127.0.0.1:{worker.ManagementPort}/metrics"));
        return text.Split('\n').FirstOrDefault(line => line.StartsWith($"{series} ", StringComparison.Ordinal)) is { } line
            ? double.Parse(line[(series.Length + 1)..], CultureInfo.InvariantCulture)
            : null;
    }
}
