using Maintenance.Storage;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Deploy.OpsTests.Redis;

/// <summary>Backup and restore by the scripts of deploy/redis, on real servers.</summary>
public sealed class RestoreTests
{
    private static CancellationToken Stop => CancellationToken.None;

    [Theory]
    [InlineData("")]
    [InlineData("prod:")]
    public async Task Restore_LetsNoSessionOfTheBackupBackIn(string prefix)
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerOptions { Password = "of-a-test" });
        await using var services = Storage(redis, prefix);
        var sessions = services.GetRequiredService<ISessionStore>();
        var revoked = await sessions.CreateAsync(new NewSession { UserId = "ann" }, Stop);
        var kept = await sessions.CreateAsync(new NewSession { UserId = "bob" }, Stop);
        var family = await services.GetRequiredService<IRefreshTokenStore>().IssueAsync(new NewRefreshFamily { UserId = "ann" }, Stop);
        var backup = Path.Combine(redis.Folder, "backup.rdb");
        await ScriptAsync("backup.sh", redis, prefix, backup);

        // After the backup Ann logs out everywhere.
        await sessions.RevokeAllAsync("ann", null, Stop);
        (await sessions.ValidateAsync(revoked.Token.Value, Stop)).IsValid.ShouldBeFalse();
        await LoadAsync(redis, backup);
        await using var restored = Storage(redis, prefix);
        sessions = restored.GetRequiredService<ISessionStore>();
        (await sessions.ValidateAsync(revoked.Token.Value, Stop)).IsValid.ShouldBeTrue("a backup as it is brings back what was revoked: hence the script");

        var output = await ScriptAsync("restore.sh", redis, prefix);

        output.ShouldContain("2 generations deleted");
        (await sessions.ValidateAsync(revoked.Token.Value, Stop)).IsValid.ShouldBeFalse();
        (await sessions.ValidateAsync(kept.Token.Value, Stop)).IsValid.ShouldBeFalse();
        (await restored.GetRequiredService<IRefreshTokenStore>().RotateAsync(family.Token!.Value, Stop)).Outcome.ShouldBe(RefreshOutcome.Denied);

        // A new log-in works and does not revive the old ones.
        var again = await sessions.CreateAsync(new NewSession { UserId = "ann" }, Stop);
        (await sessions.ValidateAsync(again.Token.Value, Stop)).IsValid.ShouldBeTrue();
        (await sessions.ValidateAsync(revoked.Token.Value, Stop)).IsValid.ShouldBeFalse();
    }

    [Fact]
    public async Task Restore_VoidsAnAppendOnlyFileToo_AndCanBeRunAgain()
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerOptions { Password = "of-a-test", AppendOnly = true });
        await using var services = Storage(redis, "");
        var sessions = services.GetRequiredService<ISessionStore>();
        var session = await sessions.CreateAsync(new NewSession { UserId = "ann" }, Stop);
        await redis.KillAsync();
        await redis.RestartAsync();
        await Eventually.TrueAsync(async () => (await sessions.ValidateAsync(session.Token.Value, Stop)).IsValid, TimeSpan.FromMinutes(1));

        (await ScriptAsync("restore.sh", redis, "")).ShouldContain("1 generations deleted");
        (await ScriptAsync("restore.sh", redis, "")).ShouldContain("0 generations deleted");

        (await sessions.ValidateAsync(session.Token.Value, Stop)).IsValid.ShouldBeFalse();
        await redis.RestartAsync();
        await Eventually.TrueAsync(async () => (await sessions.ValidateAsync(session.Token.Value, Stop)).Denial != SessionDenial.None, TimeSpan.FromMinutes(1));
        (await redis.KeysAsync("user:generation:*")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Restore_DeletesThousandsOfGenerations_AndNothingElse()
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerOptions { Password = "of-a-test" });
        await redis.ExecuteManyAsync(Enumerable.Range(0, 5000).Select(i => new[] { "SET", $"user:generation:{{Ab}}{i:00000000000000}", "1", "EX", "1000" }));
        await redis.ExecuteAsync("SET", "user:generations", "1");
        await redis.ExecuteAsync("SET", "other:user:generation:x", "1");

        (await ScriptAsync("restore.sh", redis, "")).ShouldContain("5000 generations deleted");

        (await redis.KeysAsync()).ShouldBe(["other:user:generation:x", "user:generations"]);
    }

    [Theory]
    [InlineData("", "-n", "2", 3)]
    [InlineData("prod:", "-n", "0", 3)]
    [InlineData("prod", "-n", "2", 3)]
    [InlineData("prod:", "-n", "2", 0)]
    public async Task Restore_SaysThatItMadeNothingSafe_WhereNothingOfOursLies(string prefix, string option, string database, int expected)
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerOptions { Password = "of-a-test" });
        await using var services = Storage(redis, "prod:", $"{redis.Url}/2");
        var session = await services.GetRequiredService<ISessionStore>().CreateAsync(new NewSession { UserId = "ann" }, Stop);

        await using var script = Start("restore.sh", redis, prefix, redis.Password!, option, database);
        (await script.WaitForExitAsync(TimeSpan.FromMinutes(1))).ShouldBe(expected, script.Tail());

        (await services.GetRequiredService<ISessionStore>().ValidateAsync(session.Token.Value, Stop)).IsValid.ShouldBe(expected != 0);
        var said = string.Join('\n', expected == 0 ? script.Output : script.Errors);
        said.ShouldContain($"under the prefix '{prefix}' in database {database}");
        said.ShouldContain(expected == 0 ? "1 generations deleted" : "db2:keys=");
    }

    [Fact]
    public async Task Restore_Fails_WhenRedisRefusesIt()
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerOptions { Password = "of-a-test" });
        await using var script = Start("restore.sh", redis, "", password: "wrong");
        (await script.WaitForExitAsync(TimeSpan.FromMinutes(1))).ShouldNotBe(0);
    }

    // As the runbook has it: the snapshot alone in the folder, and no append-only file.
    private static async Task LoadAsync(RedisServer redis, string backup)
    {
        await redis.KillAsync();
        File.Copy(backup, Path.Combine(redis.Folder, "dump.rdb"), overwrite: true);
        await redis.RestartAsync();
    }

    private static async Task<string> ScriptAsync(string name, RedisServer redis, string prefix, params string[] arguments)
    {
        await using var script = Start(name, redis, prefix, redis.Password!, arguments);
        (await script.WaitForExitAsync(TimeSpan.FromMinutes(2))).ShouldBe(0, script.Tail());
        return string.Join('\n', script.Output);
    }

    private static ChildProcess Start(string name, RedisServer redis, string prefix, string password, params string[] arguments) => ChildProcess.Start(
        Path.Combine(UserFile.Folder, name),
        [.. arguments, "-h", "127.0.0.1", "-p", $"{redis.Port}"],
        new Dictionary<string, string?>(StringComparer.Ordinal) { ["REDISCLI_AUTH"] = password, ["KEY_PREFIX"] = prefix });

    private static ServiceProvider Storage(RedisServer redis, string prefix, string? url = null)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
        [
            KeyValuePair.Create("Storage:Redis:Url", (string?)(url ?? redis.Url)),
            KeyValuePair.Create("Storage:Redis:KeyPrefix", (string?)prefix),
            KeyValuePair.Create("Storage:Redis:Deadline", (string?)"00:00:20"),
            KeyValuePair.Create("Storage:Redis:ConnectTimeout", (string?)"00:00:20"),
        ]).Build();
        return new ServiceCollection().AddLogging().AddSingleton<IConfiguration>(configuration).AddAuthStorage(configuration).BuildServiceProvider();
    }
}
