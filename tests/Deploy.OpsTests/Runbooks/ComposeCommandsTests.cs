using System.Text.RegularExpressions;
using Maintenance.Deploy.OpsTests.Redis;
using Maintenance.Testing;

namespace Maintenance.Deploy.OpsTests.Runbooks;

/// <summary>
/// What the runbooks say for the compose file. There is no engine here, so what a container would run is run beside it, with this folder in the place of
/// the container's: the inner command of each line, in the order in which they stand.
/// </summary>
public sealed partial class ComposeCommandsTests : IDisposable
{
    private readonly DirectoryInfo home = Directory.CreateTempSubdirectory("maintenance-runbooks-");

    public ComposeCommandsTests()
    {
        File.WriteAllText(Directory.CreateDirectory(In("secrets")).FullName + "/redis_admin_password", UserFile.AdminPassword);
        Directory.CreateDirectory(In("data"));
    }

    [Fact]
    public async Task BackupAndRestore_LeadsFromARunningRedis_ToOneThatIsSafeToServe()
    {
        var lines = Lines("backup-and-restore.md", "## With the compose file");
        await using (var running = await GuardedRedis.StartAsync())
        {
            await running.AdminAsync("SET", "user:generation:{Ab}cdefghijklmnop", "1");
            await InnerAsync(lines.Single(line => line.Contains("backup.sh", StringComparison.Ordinal)), running.Port);
        }

        // What `docker compose cp` brings to the machine.
        File.Move(In("data/backup.rdb"), In("auth-2026-01-31.rdb"));
        await File.WriteAllTextAsync(In("data/left-over"), "of the Redis before");
        await InnerAsync(lines.Single(line => line.Contains("dump.rdb", StringComparison.Ordinal)), port: 0);
        Directory.GetFileSystemEntries(In("data")).ShouldBe([In("data/dump.rdb")]);

        // The arguments of `docker compose run redis` follow those of the service's entry point.
        var start = lines.Single(line => line.Contains("--name redis-restore redis ", StringComparison.Ordinal));
        string[] arguments = [.. start[(start.IndexOf("--name redis-restore redis ", StringComparison.Ordinal) + "--name redis-restore redis ".Length)..].Split(' ').Select(word => word.Trim('"'))];
        await using var restored = await GuardedRedis.StartAsync(arguments: arguments, data: In("data"));
        var inside = lines.Where(line => line.StartsWith("docker exec redis-restore", StringComparison.Ordinal)).ToList();
        (await InnerAsync(inside[0], restored.Port)).ShouldContain("1 generations deleted");
        (await InnerAsync(inside[1], restored.Port)).ShouldBe("OK");
        (await InnerAsync(inside[2], restored.Port)).ShouldContain("aof_rewrite_in_progress:");
        ((object?[])(await restored.AdminAsync("CONFIG", "GET", "appendonly"))!)[1].ShouldBe("yes");
    }

    [Fact]
    public async Task RedisCli_IsTheAdmins()
    {
        await using var redis = await GuardedRedis.StartAsync();
        var line = Lines("README.md", "Short forms").Single(each => each.StartsWith("docker compose", StringComparison.Ordinal));
        (await InnerAsync(line, redis.Port)).ShouldContain("role:master");
        (await InnerAsync(line.Replace("INFO replication", "ACL WHOAMI", StringComparison.Ordinal), redis.Port)).ShouldBe("admin");
    }

    public void Dispose() => home.Delete(recursive: true);

    /// <summary>Runs what stands behind <c>sh -c</c>, or <c>--entrypoint sh redis -c</c>; returns what it prints.</summary>
    private async Task<string> InnerAsync(string line, int port)
    {
        var match = Inner().Match(line);
        match.Success.ShouldBeTrue(line);
        var script = match.Groups["script"].Value
            .Replace("/run/secrets/", In("secrets/"), StringComparison.Ordinal)
            .Replace("/etc/redis/", UserFile.Folder + "/", StringComparison.Ordinal)
            .Replace("/data/", In("data/"), StringComparison.Ordinal);
        // In the container Redis listens where redis-cli looks by itself.
        var tools = Directory.CreateDirectory(In("tools")).FullName;
        var client = Path.Combine(tools, "redis-cli");
        var own = $"#!/bin/sh\nPATH=${{PATH#*:}} exec redis-cli -p {port} \"$@\"\n";
        var words = match.Groups["rest"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToList();
        if (words.Find(word => word.StartsWith('<')) is { } input)
        {
            words.Remove(input);
            script = $"{{ {script}; }} <{In(input[1..])}";
        }

        // By the shell: a child that another test starts while this process writes a file has it open too for a moment, and what somebody may write to does not run.
        script = $"printf %s \"$CLIENT\" >{client}; chmod u+x {client}; {script}";

        await using var shell = ChildProcess.Start(
            "sh",
            ["-c", script, .. words],
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["PATH"] = $"{tools}:{Environment.GetEnvironmentVariable("PATH")}", ["CLIENT"] = own });
        (await shell.WaitForExitAsync(TimeSpan.FromMinutes(1))).ShouldBe(0, shell.Tail());
        return string.Join('\n', shell.Output).Trim();
    }

    private static List<string> Lines(string runbook, string from)
    {
        var text = File.ReadAllText(Path.Combine(BuiltProgram.RepositoryRoot, "docs", "runbooks", runbook));
        text = text[text.IndexOf(from, StringComparison.Ordinal)..];
        var end = text.IndexOf("\n## ", StringComparison.Ordinal);
        return [.. (end < 0 ? text : text[..end]).Split('\n').Where(line => line.StartsWith("docker ", StringComparison.Ordinal))];
    }

    private string In(string path) => Path.Combine(home.FullName, path);

    [GeneratedRegex("(sh|--entrypoint sh redis) -c '(?<script>[^']*)'(?<rest>.*)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Inner();
}
