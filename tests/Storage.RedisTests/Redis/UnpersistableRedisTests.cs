using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Storage.RedisTests.Redis;

public sealed class UnpersistableRedisTests
{
    [Fact]
    public async Task Call_ReadsOverANewConnection_WhenRedisRefusesPingAndWrites()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { ConfigurationLines = ["save 3600 1"] });
        await server.ExecuteAsync("SET", "cache:a", "b");
        // A folder in the file's place: the snapshot fails, and Redis answers MISCONF to writes and to PING.
        Directory.CreateDirectory(Path.Combine(server.Folder, "dump.rdb"));
        await server.ExecuteAsync("BGSAVE");
        await Eventually.TrueAsync(async () => (await server.StringAsync("INFO", "persistence"))!.Contains("rdb_last_bgsave_status:err", StringComparison.Ordinal));
        await Should.ThrowAsync<RespErrorException>(() => server.ExecuteAsync("PING"));
        await using var connection = new RedisConnection(StoreHarness.Patient(server.Url), TimeProvider.System, NullLogger.Instance);
        await connection.ConnectAsync(CancellationToken.None);

        ((string?)await connection.CallAsync(database => database.StringGetAsync("cache:a"), CancellationToken.None)).ShouldBe("b");
        var refused = await Should.ThrowAsync<StorageUnavailableException>(
            () => connection.CallAsync(database => database.StringSetAsync("cache:a", "c"), CancellationToken.None));
        refused.Reason.ShouldBe(UnavailableReason.NotServing);
    }
}
