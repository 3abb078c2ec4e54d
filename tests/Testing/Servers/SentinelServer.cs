namespace Maintenance.Testing;

/// <summary>A real <c>redis-sentinel</c> that watches one primary under the name <c>mymaster</c>.</summary>
public sealed class SentinelServer : RespServer
{
    private readonly int _primaryPort;
    private readonly int _quorum;
    private readonly TimeSpan _downAfter;

    private SentinelServer(int primaryPort, int quorum, TimeSpan downAfter)
        : base(password: null)
    {
        _primaryPort = primaryPort;
        _quorum = quorum;
        _downAfter = downAfter;
    }

    /// <summary>Starts one and returns when PING answers.</summary>
    /// <param name="primary">The primary to watch.</param>
    /// <param name="quorum">So many Sentinels must agree that the primary is down.</param>
    /// <param name="downAfter">How long the primary may be silent. Default 2 s: a test must not wait for half a minute. A busy machine may look like a dead primary.</param>
    public static async Task<SentinelServer> StartAsync(RedisServer primary, int quorum, TimeSpan? downAfter = null)
    {
        var server = new SentinelServer(primary.Port, quorum, downAfter ?? TimeSpan.FromSeconds(2));
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
                $"sentinel down-after-milliseconds mymaster {_downAfter.TotalMilliseconds}",
                "sentinel failover-timeout mymaster 10000",
            ]);
        return ChildProcess.Start("redis-sentinel", [file, "--port", $"{port}"]);
    }
}
