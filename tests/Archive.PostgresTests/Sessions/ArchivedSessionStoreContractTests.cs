using Maintenance.Storage.RedisTests.Sessions;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Archive.PostgresTests.Sessions;

/// <summary>The contract of every session store on the one with a durable copy, on a real Redis and a real PostgreSQL.</summary>
public sealed class ArchivedSessionStoreContractTests(RedisFixture redis, PostgresFixture postgres)
    : SessionStoreContract, IClassFixture<RedisFixture>, IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private readonly List<Host> hosts = [];
    private ArchiveDatabase database = null!;

    public async Task InitializeAsync() => (_, database) = await ArchiveDatabases.CreateAsync(postgres.Server);

    public async Task DisposeAsync()
    {
        foreach (var host in hosts)
        {
            await host.DisposeAsync();
        }

        await database.DisposeAsync();
    }

    protected override ISessionStore NewStore(SessionOptions options)
    {
        var host = new Host(redis.Server.Url, new PostgresSessionArchive(database), options);
        hosts.Add(host);
        return host.Store;
    }
}
