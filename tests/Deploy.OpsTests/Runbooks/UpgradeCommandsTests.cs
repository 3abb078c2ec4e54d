using System.Text.RegularExpressions;
using Maintenance.Deploy.OpsTests.Redis;
using Maintenance.Testing;

namespace Maintenance.Deploy.OpsTests.Runbooks;

/// <summary>What the runbook says for an upgrade by a replica, between two servers that start.sh has started.</summary>
public sealed partial class UpgradeCommandsTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly string Runbook = File.ReadAllText(Path.Combine(BuiltProgram.RepositoryRoot, "docs", "runbooks", "upgrading-redis.md"));

    private readonly DirectoryInfo home = Directory.CreateTempSubdirectory("maintenance-upgrade-");

    [Fact]
    public async Task UpgradeByAReplica_LosesNothing_AndItsUserMayOnlyReplicate()
    {
        await using var old = await GuardedRedis.StartAsync();
        await using var next = await GuardedRedis.StartAsync();
        await old.AdminAsync("SET", "session:x", "before");
        var blocks = Blocks().Matches(Runbook).Select(match => match.Groups["script"].Value).ToList();

        await RunAsync(blocks.Single(block => block.Contains("REPLICAOF", StringComparison.Ordinal)), old, next);

        await Eventually.TrueAsync(async () => (await ReplicationAsync(next)).Contains("master_link_status:up", StringComparison.Ordinal), Patience);
        (await next.AdminAsync("GET", "session:x")).ShouldBe("before");
        foreach (var server in (GuardedRedis[])[old, next])
        {
            var password = (string)((object?[])(await server.AdminAsync("CONFIG", "GET", "masterauth"))!)[1]!;
            password.ShouldNotBe(UserFile.AdminPassword);
            using var replica = await server.LogInAsync("replica", password);
            foreach (var command in (string[][])[["GET", "session:x"], ["SET", "session:x", "1"], ["CONFIG", "GET", "masterauth"], ["REPLICAOF", "NO", "ONE"], ["ACL", "LIST"]])
            {
                (await Should.ThrowAsync<RespErrorException>(() => replica.ExecuteAsync(command), string.Join(' ', command))).Message.ShouldStartWith("NOPERM");
            }
        }

        await Eventually.TrueAsync(async () => (await ReplicationAsync(old)).Contains("state=online", StringComparison.Ordinal), Patience);

        // Back too: the old one becomes the replica.
        await RunAsync(Failover().Match(Runbook).Groups["command"].Value, old, next);
        await Eventually.TrueAsync(async () => (await ReplicationAsync(old)).Contains("master_link_status:up", StringComparison.Ordinal), Patience);
        await next.AdminAsync("SET", "session:y", "after");
        await Eventually.TrueAsync(async () => "after".Equals(await old.AdminAsync("GET", "session:y")), Patience);

        await RunAsync(blocks.Single(block => block.Contains("DELUSER", StringComparison.Ordinal)), old, next);
        ((object?[])(await next.AdminAsync("ACL", "USERS"))!).ShouldNotContain("replica");
        ((object?[])(await next.AdminAsync("CONFIG", "GET", "masterauth"))!)[1].ShouldBe("");
    }

    public void Dispose() => home.Delete(recursive: true);

    private static async Task<string> ReplicationAsync(GuardedRedis server) => (string)(await server.AdminAsync("INFO", "replication"))!;

    /// <summary>Runs lines of the runbook with a redis-cli that knows where OLD and NEW are.</summary>
    private async Task RunAsync(string script, GuardedRedis old, GuardedRedis next)
    {
        script.ShouldNotBeEmpty();
        var secrets = Directory.CreateDirectory(Path.Combine(home.FullName, "secrets")).FullName;
        await File.WriteAllTextAsync(Path.Combine(secrets, "redis_admin_password"), UserFile.AdminPassword);
        var tools = Directory.CreateDirectory(Path.Combine(home.FullName, "tools")).FullName;
        var client = Path.Combine(tools, "redis-cli");
        var own = $$"""
            #!/bin/sh
            case "$1 $2" in '-h OLD') port={{old.Port}} ;; '-h NEW') port={{next.Port}} ;; *) echo "$1 $2?" >&2; exit 2 ;; esac
            shift 2
            PATH=${PATH#*:} exec redis-cli -e -p "$port" "$@"

            """;
        // Written by the shell: a child that another test starts while this process writes a file has it open too for a moment, and what somebody may write to does not run.
        await using var shell = ChildProcess.Start(
            "sh",
            ["-c", $"printf %s \"$CLIENT\" >{client}; chmod u+x {client}; set -e; {script.Replace("/run/secrets", secrets, StringComparison.Ordinal).Replace("REPLICAOF OLD 6379", $"REPLICAOF 127.0.0.1 {old.Port}", StringComparison.Ordinal)}"],
            new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["PATH"] = $"{tools}:{Environment.GetEnvironmentVariable("PATH")}",
                ["CLIENT"] = own,
                // The first block exports it for those that follow.
                ["REDISCLI_AUTH"] = UserFile.AdminPassword,
            });
        (await shell.WaitForExitAsync(TimeSpan.FromMinutes(1))).ShouldBe(0, shell.Tail());
        string.Join('\n', shell.Output.Concat(shell.Errors)).ShouldNotMatch("ERR|NOAUTH|NOPERM|WRONGPASS", shell.Tail());
    }

    [GeneratedRegex("```sh\n(?<script>.*?)```", RegexOptions.ExplicitCapture | RegexOptions.Singleline)]
    private static partial Regex Blocks();

    [GeneratedRegex("`(?<command>redis-cli [^`]*FAILOVER)`", RegexOptions.ExplicitCapture)]
    private static partial Regex Failover();
}
