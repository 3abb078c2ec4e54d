using Maintenance.Storage.Archive;
using Maintenance.Testing;

namespace Maintenance.Archive.PostgresTests.Contract;

/// <summary>The contract on PostgreSQL.</summary>
public sealed class PostgresSessionArchiveTests(PostgresFixture postgres) : SessionArchiveContract, IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private ArchiveDatabase database = null!;

    protected override ISessionArchive Archive => new PostgresSessionArchive(database);

    public async Task InitializeAsync() => (_, database) = await ArchiveDatabases.CreateAsync(postgres.Server);

    public async Task DisposeAsync() => await database.DisposeAsync();
}

/// <summary>The contract on the twin in memory.</summary>
public sealed class InMemorySessionArchiveTests : SessionArchiveContract
{
    protected override ISessionArchive Archive { get; } = new InMemorySessionArchive(TimeProvider.System);
}
