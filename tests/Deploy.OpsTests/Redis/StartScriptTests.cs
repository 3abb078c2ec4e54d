using Maintenance.Testing;

namespace Maintenance.Deploy.OpsTests.Redis;

/// <summary>deploy/redis/start.sh with a real Redis.</summary>
public sealed class StartScriptTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("maintenance-start-").FullName;

    [Fact]
    public async Task Separate_KnowsEachProgramByItsName_AndNobodyElse()
    {
        var port = FreePort.Next();
        await using var redis = Start(port, "separate");
        using var worker = await LogInAsync(port, "worker", "w-password");
        using var host = await LogInAsync(port, "webhost", "h-password");
        using var admin = await LogInAsync(port, "admin", "a-password");

        (await host.ExecuteAsync(["SET", "cache:x", "1", "EX", "100"])).ShouldBe("OK");
        (await worker.ExecuteAsync(["DBSIZE"])).ShouldBe(1L);
        ((string)(await admin.ExecuteAsync(["ACL", "WHOAMI"]))!).ShouldBe("admin");
        (await Should.ThrowAsync<RespErrorException>(() => host.ExecuteAsync(["DBSIZE"]))).Message.ShouldStartWith("NOPERM");
        using var stranger = await RespConnection.ConnectAsync(port);
        (await Should.ThrowAsync<RespErrorException>(() => stranger.ExecuteAsync(["GET", "cache:x"]))).Message.ShouldContain("NOAUTH");
        (await Should.ThrowAsync<RespErrorException>(() => stranger.ExecuteAsync(["AUTH", "worker", "h-password"]))).Message.ShouldStartWith("WRONGPASS");
        ((object?[])(await admin.ExecuteAsync(["CONFIG", "GET", "maxmemory-policy"]))!)[1].ShouldBe("noeviction");
    }

    [Fact]
    public async Task Single_GivesTheDefaultUser_WhatBothProgramsNeed_AndNothingDangerous()
    {
        var port = FreePort.Next();
        await using var redis = Start(port, "single");
        using var both = await LogInAsync(port, "default", "w-password");

        (await both.ExecuteAsync(["DBSIZE"])).ShouldBe(0L);
        (await both.ExecuteAsync(["HSET", "dataprotection:ring", "key", "1"])).ShouldBe(1L);
        (await Should.ThrowAsync<RespErrorException>(() => both.ExecuteAsync(["FLUSHALL"]))).Message.ShouldStartWith("NOPERM");
    }

    [Fact]
    public async Task UserFile_HoldsNoPassword_AndIsTheOwnersOnly()
    {
        var port = FreePort.Next();
        await using var redis = Start(port, "separate");
        using var admin = await LogInAsync(port, "admin", "a-password");

        var file = Path.Combine(folder, "users.acl");
        (await File.ReadAllTextAsync(file)).ShouldNotContain("-password");
        (OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(file)).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task Secrets_AreReadFromFiles()
    {
        var secret = Path.Combine(folder, "secret");
        await File.WriteAllTextAsync(secret, "from-a-file");
        var port = FreePort.Next();
        await using var redis = Start(port, "separate", ("REDIS_WORKER_PASSWORD", null), ("REDIS_WORKER_PASSWORD_FILE", secret));
        using var worker = await LogInAsync(port, "worker", "from-a-file");
        (await worker.ExecuteAsync(["DBSIZE"])).ShouldBe(0L);
    }

    [Fact]
    public async Task AMissingSecret_IsNamed_AndNothingStarts()
    {
        await using var redis = Start(FreePort.Next(), "separate", ("REDIS_WEBHOST_PASSWORD", null));
        (await redis.WaitForExitAsync(TimeSpan.FromMinutes(1))).ShouldBe(2);
        string.Join('\n', redis.Errors).ShouldContain("REDIS_WEBHOST_PASSWORD is not set");
    }

    [Fact]
    public async Task Users_ArePrinted_ForARedisThatSomethingElseStarts_WithTheSecretsHashedAndThePrefixEverywhere()
    {
        await using var script = ChildProcess.Start(Path.Combine(UserFile.Folder, "start.sh"), ["users"], UserFile.Environment(folder, "prod:"));
        (await script.WaitForExitAsync()).ShouldBe(0, script.Tail());
        string.Join('\n', script.Output).ShouldNotContain("-password");
        Directory.EnumerateFileSystemEntries(folder).ShouldBeEmpty();

        // As another Redis would take them: with its own administrator, user by user.
        await using var redis = await RedisServer.StartAsync();
        foreach (var line in script.Output)
        {
            await redis.ExecuteAsync(["ACL", "SETUSER", .. line.Split(' ').Skip(1)]);
        }

        foreach (var user in UserFile.Programs)
        {
            var rights = ((object?[])(await redis.ExecuteAsync("ACL", "GETUSER", user))!).Chunk(2).ToDictionary(pair => (string)pair[0]!, pair => pair[1]?.ToString(), StringComparer.Ordinal);
            var patterns = rights["keys"]!.Split(' ');
            patterns.ShouldAllBe(pattern => pattern.Contains("~prod:", StringComparison.Ordinal), user);
            patterns.Length.ShouldBe(UserFile.RightsOf(user).Count(word => word.StartsWith('~') || word.StartsWith("%R~", StringComparison.Ordinal)));
            rights["channels"].ShouldBe(user == "webhost" ? "&prod:cache:invalidated" : "");
        }
    }

    [Theory]
    [InlineData("prod: ~*")]
    [InlineData("p*")]
    [InlineData("{a}")]
    public async Task APrefixThatRedisWouldReadOtherwise_IsRefused(string prefix)
    {
        await using var script = ChildProcess.Start(Path.Combine(UserFile.Folder, "start.sh"), ["users"], UserFile.Environment(folder, prefix));
        (await script.WaitForExitAsync()).ShouldBe(2);
        script.Errors.ShouldHaveSingleItem().ShouldContain("KEY_PREFIX");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private ChildProcess Start(int port, string users, params (string Name, string? Value)[] changes)
    {
        var environment = UserFile.Environment(folder, users: users);
        foreach (var (name, value) in changes)
        {
            environment[name] = value;
        }

        return ChildProcess.Start(Path.Combine(UserFile.Folder, "start.sh"), ["--port", $"{port}", "--bind", "127.0.0.1"], environment);
    }

    private static async Task<RespConnection> LogInAsync(int port, string user, string password) => await Eventually.NotNullAsync(async () =>
    {
        var connection = await RespConnection.ConnectAsync(port);
        await connection.ExecuteAsync(["AUTH", user, password]);
        return connection;
    }, TimeSpan.FromMinutes(1));
}
