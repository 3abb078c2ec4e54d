using Maintenance.Storage.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Maintenance.Storage.Outage;

/// <summary>
/// Looks now and then into a journal that several hosts write. A host that was cut off from Redis alone may end before it has carried out what it answered
/// for; those that never missed Redis have no other reason to look.
/// </summary>
internal sealed class SharedJournalReader(
    PendingRevocations pending, StorageSwitch mode, RedisWatch watch, TimeProvider timeProvider, ILogger<SharedJournalReader> logger) : BackgroundService
{
    /// <summary>Time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Looks once. What is found is denied here from then on, and carried out.</summary>
    /// <exception cref="IOException">The journal cannot be read now.</exception>
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        await pending.RefreshAsync(cancellationToken).ConfigureAwait(false);
        if (pending.Count > 0)
        {
            watch.Suspect();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!pending.IsShared)
        {
            return;
        }

        var failing = false;
        using var timer = new PeriodicTimer(Interval, timeProvider);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                // Not read since the start: the watch does it.
                if (mode.Mode == StorageMode.Memory || !pending.Loaded)
                {
                    continue;
                }

                try
                {
                    await ReadAsync(stoppingToken).ConfigureAwait(false);
                    failing = false;
                }
                catch (IOException exception)
                {
                    if (!failing)
                    {
                        logger.SharedJournalNotRead(exception.Message);
                    }

                    failing = true;
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Shutdown.
        }
    }
}
