using System.Collections.Concurrent;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Archive;

/// <summary>
/// Gathers when sessions were last seen and writes that to the archive together, once in <see cref="ArchiveOptions.LastAccessInterval"/>, and at
/// shutdown. A request only notes it in memory.
/// </summary>
public sealed class LastAccessBatch : BackgroundService
{
    /// <summary>Sessions noted at most between two writes; what comes beyond has an older last access in the archive.</summary>
    public const int MostNoted = 200_000;

    private const int PerWrite = 1000;

    private readonly ISessionArchive archive;
    private readonly IOptionsMonitor<ArchiveOptions> options;
    private readonly TimeProvider timeProvider;
    private readonly ILogger logger;
    private readonly SemaphoreSlim turn = new(1, 1);
    private ConcurrentDictionary<(UserReference User, SessionId Id), SessionTouch> noted = new();

    // What the last write held: a session is renewed far less often than it is seen.
    private ConcurrentDictionary<(UserReference User, SessionId Id), SessionTouch> written = new();

    /// <summary>Creates the batch.</summary>
    public LastAccessBatch(ISessionArchive archive, IOptionsMonitor<ArchiveOptions> options, TimeProvider timeProvider, ILogger<LastAccessBatch> logger)
    {
        this.archive = archive;
        this.options = options;
        this.timeProvider = timeProvider;
        this.logger = logger;
    }

    /// <summary>Notes a session as validated. Cheap, and never waits.</summary>
    public void Note(Session session)
    {
        ArgumentNullException.ThrowIfNull(session);
        // A session just created was written with its first access.
        if (session.LastSeenAt == session.CreatedAt)
        {
            return;
        }

        var key = (UserReference.Of(session.UserId), session.Id);
        var touch = new SessionTouch(key.Item1, session.Id, session.LastSeenAt, session.ExpiresAt);
        var current = noted;
        if ((!written.TryGetValue(key, out var last) || last.LastSeenAt < touch.LastSeenAt)
            && (!current.TryGetValue(key, out var waiting) || waiting.LastSeenAt < touch.LastSeenAt)
            && (current.Count < MostNoted || current.ContainsKey(key)))
        {
            current[key] = touch;
        }
    }

    /// <summary>Writes what has been noted. What the archive does not take is noted again.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var batch = Interlocked.Exchange(ref noted, new());
            var done = new ConcurrentDictionary<(UserReference User, SessionId Id), SessionTouch>();
            foreach (var part in batch.Chunk(PerWrite))
            {
                try
                {
                    await archive.TouchAsync([.. part.Select(entry => entry.Value)], cancellationToken).ConfigureAwait(false);
                    foreach (var (key, touch) in part)
                    {
                        done[key] = touch;
                    }
                }
                catch (Exception exception) when (exception is StorageUnavailableException or OperationCanceledException)
                {
                    NoteAgain(batch.Where(entry => !done.ContainsKey(entry.Key)));
                    logger.AccessesNotWritten(batch.Count - done.Count, exception.Message);
                    break;
                }
            }

            written = done;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // No time is left for times of last access.
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        turn.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(options.CurrentValue.LastAccessInterval, timeProvider, stoppingToken).ConfigureAwait(false);
                await FlushAsync(stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Shutdown; StopAsync writes the rest.
        }
    }

    private void NoteAgain(IEnumerable<KeyValuePair<(UserReference User, SessionId Id), SessionTouch>> entries)
    {
        var current = noted;
        foreach (var (key, touch) in entries)
        {
            if (current.Count < MostNoted)
            {
                current.TryAdd(key, touch);
            }
        }
    }
}
