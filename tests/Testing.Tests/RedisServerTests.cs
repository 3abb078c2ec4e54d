namespace Maintenance.Testing.Tests;

public sealed class RedisServerTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    [Fact]
    public async Task ExecuteAsync_ReturnsEachKindOfReply_AsItsOwnType()
    {
        var server = redis.Server;
        await server.FlushAllAsync();

        (await server.ExecuteAsync("SET", "kinds:a", "grüße")).ShouldBe("OK");
        (await server.ExecuteAsync("GET", "kinds:a")).ShouldBe("grüße");
        (await server.ExecuteAsync("GET", "kinds:none")).ShouldBeNull();
        (await server.IntegerAsync("ZADD", "kinds:z", "1", "x", "2", "y")).ShouldBe(2);
        (await server.ListAsync("ZRANGE", "kinds:z", "0", "-1")).ShouldBe(["x", "y"]);
        (await server.KeysAsync("kinds:*")).ShouldBe(["kinds:a", "kinds:z"]);
        (await Should.ThrowAsync<RespErrorException>(() => server.ExecuteAsync("LPUSH", "kinds:a", "1"))).Message.ShouldStartWith("WRONGTYPE");
        (await server.ExecuteAsync("EVAL", "return {1, false, {'a'}}", "0")).ShouldBeEquivalentTo(new object?[] { 1L, null, new object?[] { "a" } });
    }

    [Fact]
    public async Task ExecuteRawAsync_KeepsBytes_ThatAreNotText()
    {
        byte[] value = [0, 0xff, 0x0d, 0x0a, 0x80];

        await redis.Server.ExecuteRawAsync("SET"u8.ToArray(), "raw"u8.ToArray(), value);

        (await redis.Server.ExecuteRawAsync("GET"u8.ToArray(), "raw"u8.ToArray())).ShouldBe(value);
    }

    [Fact]
    public async Task ExecuteManyAsync_AnswersInOrder_OverSeveralChunks()
    {
        var replies = await redis.Server.ExecuteManyAsync(Enumerable.Range(0, 2500).Select(i => new[] { "ECHO", $"{i}" }));

        replies.ShouldBe(Enumerable.Range(0, 2500).Select(object (i) => $"{i}"));
    }

    [Fact]
    public async Task Restart_KeepsPortAndAppendedData_AfterKill()
    {
        await using var server = await RedisServer.StartAsync(new() { AppendOnly = true });
        await server.ExecuteAsync("SET", "kept", "1");
        var (port, processId) = (server.Port, server.ProcessId);

        await server.KillAsync();
        server.IsRunning.ShouldBeFalse();
        await server.RestartAsync();

        server.Port.ShouldBe(port);
        server.ProcessId.ShouldNotBe(processId);
        (await server.StringAsync("GET", "kept")).ShouldBe("1");
    }

    [Fact]
    public async Task Pause_LeavesCommandsUnanswered_UntilResume()
    {
        await using var server = await RedisServer.StartAsync();

        await server.PauseAsync();
        var pending = server.ExecuteAsync("PING");
        await Should.ThrowAsync<TimeoutException>(() => pending.WaitAsync(TimeSpan.FromMilliseconds(200)));
        await server.ResumeAsync();

        (await pending).ShouldBe("PONG");
    }

    [Fact]
    public async Task Options_ReachTheServer()
    {
        await using var server = await RedisServer.StartAsync(new()
        {
            MaxMemoryBytes = 8_000_000,
            MaxMemoryPolicy = "allkeys-lru",
            Password = "p@ss word,",
            RefusedCommands = ["SLOWLOG"],
            UnixSocket = true,
            ExtraArguments = ["--databases", "3"],
        });

        (await server.ListAsync("CONFIG", "GET", "maxmemory")).ShouldBe(["maxmemory", "8000000"]);
        (await server.ListAsync("CONFIG", "GET", "maxmemory-policy")).ShouldBe(["maxmemory-policy", "allkeys-lru"]);
        (await server.ListAsync("CONFIG", "GET", "databases")).ShouldBe(["databases", "3"]);
        (await Should.ThrowAsync<RespErrorException>(() => server.ExecuteAsync("SLOWLOG", "GET"))).Message.ShouldContain("unknown command");
        File.Exists(server.UnixSocketPath).ShouldBeTrue();
        server.Url.ShouldBe($"redis://:p%40ss%20word%2C@127.0.0.1:{server.Port}");
        using var anonymous = await RespConnection.ConnectAsync(server.Port);
        (await Should.ThrowAsync<RespErrorException>(() => anonymous.ExecuteAsync(["PING"]))).Message.ShouldStartWith("NOAUTH");
    }

    [Fact]
    public async Task Start_FailsWithTheServersLog_WhenAnOptionIsWrong()
    {
        var failure = await Should.ThrowAsync<InvalidOperationException>(() => RedisServer.StartAsync(new() { MaxMemoryPolicy = "no-such-policy" }));

        failure.Message.ShouldContain("maxmemory-policy no-such-policy");
    }

    [Fact]
    public async Task Dispose_EndsTheProcessAndRemovesItsFolder()
    {
        var server = await RedisServer.StartAsync();
        var (processId, folder) = (server.ProcessId, server.Folder);

        await server.PauseAsync();
        await server.DisposeAsync();

        Directory.Exists(folder).ShouldBeFalse();
        Directory.Exists($"/proc/{processId}").ShouldBeFalse();
    }
}
