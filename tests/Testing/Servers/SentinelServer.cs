namespace Maintenance.Testing;

/// <summary>A real <c>redis-sentinel</c> that watches one primary under the name <c>mymaster</c>.</summary>
public sealed class SentinelServer : RespServer
{
    private readonly int _primaryPort;
    private readonly int _quorum;

    private SentinelServer(int primaryPort, int quorum)
        : base(password: null)
    {
        _primaryPort = primaryPort;
        _quorum = quorum;
    }

    /// <summary>Starts one and returns when PING answers.</summary>
    /// <param name="primary">The primary to watch.</param>
    /// <param name="quorum">So many Sentinels must agree that the primary is down.</param>
    public static async Task<SentinelServer> StartAsync(RedisServer primary, int quorum)
    {
        var server = new SentinelServer(primary.Port, quorum);
        await server.StartOnFreePortAsync();
        return server;
    }

    private protected override ChildProcess Launch(int port)
    {
        var file = Path.Combine(Folder, "sentinel.conf");
        File.WriteAllLines(
            file,
            [
                "bind 127.0.0.1",
                $"dir \"{Folder}\"",
                "daemonize no",
                $"sentinel monitor mymaster 127.0.0.1 {_primaryPort} {_quorum}",
                // A second: a busy machine must not look like a dead primary, and a test must not wait for half a minute.
                "sentinel down-after-milliseconds mymaster 2000",
                "sentinel failover-timeout mymaster 10000",
            ]);
        return ChildProcess.Start("redis-sentinel", [file, "--port", $"{port}"]);
    }
}
