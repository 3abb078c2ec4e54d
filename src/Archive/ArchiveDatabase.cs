using Maintenance.Archive.Migrations;
using Maintenance.Storage.Redis;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Maintenance.Archive;

/// <summary>One pool of connections to the archive's database, with a deadline on every call and a breaker over all.</summary>
public sealed class ArchiveDatabase : IAsyncDisposable
{
    private readonly NpgsqlDataSource source;
    private readonly PooledDbContextFactory<ArchiveContext> contexts;
    private readonly TimeSpan deadline;
    private readonly TimeProvider timeProvider;
    private readonly string place;
    private readonly ArchiveBreaker breaker;

    /// <summary>Creates the pool; nothing is sent until the first call.</summary>
    /// <exception cref="ArgumentException">There is no connection string, or it cannot be read.</exception>
    public ArchiveDatabase(IOptions<PostgresArchiveOptions> options, TimeProvider timeProvider, ILogger<ArchiveDatabase>? logger = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (string.IsNullOrWhiteSpace(options.Value.ConnectionString))
        {
            throw new ArgumentException("There is no connection string of the archive.", nameof(options));
        }

        // Nothing of the archive leaves anything behind in a connection, so none is reset before its next use.
        var settings = new NpgsqlConnectionStringBuilder(options.Value.ConnectionString) { NoResetOnClose = true };
        place = $"{settings.Host}:{settings.Port}/{settings.Database}";
        source = NpgsqlDataSource.Create(settings);
        contexts = new PooledDbContextFactory<ArchiveContext>(new DbContextOptionsBuilder<ArchiveContext>().UseNpgsql(source).Options);
        deadline = options.Value.Deadline;
        this.timeProvider = timeProvider;
        breaker = new ArchiveBreaker(options.Value, place, timeProvider, logger ?? NullLogger<ArchiveDatabase>.Instance);
    }

    /// <summary>The scripts of the archive's schema, for <see cref="SchemaMigrator"/>.</summary>
    public static ScriptSet Schema { get; } = ScriptSet.Embedded("archive", typeof(ArchiveDatabase).Assembly, "Schema");

    /// <summary>Brings the archive's schema up to date; see <see cref="SchemaMigrator.ApplyAsync"/>.</summary>
    public Task<IReadOnlyList<string>> MigrateAsync(ILogger logger, CancellationToken cancellationToken) =>
        new SchemaMigrator(source, logger).ApplyAsync([Schema], cancellationToken);

    /// <summary>Closes the pool.</summary>
    public ValueTask DisposeAsync() => source.DisposeAsync();

    internal Task<T> CallAsync<T>(Func<ArchiveContext, CancellationToken, Task<T>> call, CancellationToken cancellationToken) =>
        breaker.RunAsync(token => BoundedAsync(call, token), cancellationToken);

    private async Task<T> BoundedAsync<T>(Func<ArchiveContext, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(deadline, timeProvider);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        var pending = RunAsync(call, both.Token);
        try
        {
            // Cancelling asks the server to give up; one that stands still never answers that either, and must not hold the caller.
            return await pending.WaitAsync(both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            Observe(pending);
            throw Unavailable($"did not answer within {deadline.TotalMilliseconds:0} ms", exception);
        }
        catch (OperationCanceledException)
        {
            Observe(pending);
            throw;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            throw Unavailable("has no tables yet; run migrate", exception);
        }
        catch (Exception exception) when (exception is NpgsqlException or DbUpdateException or TimeoutException or IOException or InvalidOperationException { InnerException: NpgsqlException })
        {
            throw Unavailable($"failed: {(exception is PostgresException refused ? refused.MessageText : exception.GetBaseException().Message)}", exception);
        }
    }

    internal Task<T> TransactAsync<T>(Func<ArchiveContext, CancellationToken, Task<T>> call, CancellationToken cancellationToken) => CallAsync(
        async (context, token) =>
        {
            await using var transaction = await context.Database.BeginTransactionAsync(token).ConfigureAwait(false);
            var result = await call(context, token).ConfigureAwait(false);
            await transaction.CommitAsync(token).ConfigureAwait(false);
            return result;
        },
        cancellationToken);

    private async Task<T> RunAsync<T>(Func<ArchiveContext, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        return await call(context, cancellationToken).ConfigureAwait(false);
    }

    // Never the connection string: it holds the password.
    private StorageUnavailableException Unavailable(string what, Exception exception) =>
        new(UnavailableReason.Archive, $"The archive at {place} {what}.", exception);

    private static void Observe(Task abandoned) =>
        _ = abandoned.ContinueWith(
            static task => _ = task.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
}
