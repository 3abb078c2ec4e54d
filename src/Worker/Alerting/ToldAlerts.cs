using System.Collections.Concurrent;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Alerting;

/// <summary>
/// What has been told, kept in Redis beside the results. The replica that ran a job tells what it found; if it was killed between the two, another
/// one sees that nobody has and tells it within about a minute.
/// </summary>
public sealed class ToldAlerts(AlertCenter center, RedisConnection connection, RedisKeys keys, TimeProvider timeProvider, ILogger<ToldAlerts> logger)
    : BackgroundService
{
    /// <summary>How long the replica that found an alert has to tell it: several tries of the slowest sink, and the others' delay in seeing results.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeastDeadline = TimeSpan.FromSeconds(1);

    // Longer than any repeat interval that makes sense; each repetition lengthens it.
    private static readonly TimeSpan KeyLife = TimeSpan.FromDays(30);

    private static readonly RedisScript Script = RedisScript.Load(typeof(ToldAlerts).Assembly, "Alerting/told.lua");

    // The newest of each alert, until Redis has it.
    private readonly ConcurrentDictionary<string, AlertNotice> toNote = new(StringComparer.Ordinal);
    private readonly Dictionary<AlertNotice, DateTimeOffset> seen = new(ReferenceEqualityComparer.Instance);
    private readonly SemaphoreSlim wake = new(0);

    /// <summary>Every sink has been asked to take these.</summary>
    public void Note(IReadOnlyList<AlertNotice> notices)
    {
        ArgumentNullException.ThrowIfNull(notices);
        foreach (var notice in notices)
        {
            toNote[notice.Alert.Identity] = notice;
        }

        wake.Release();
    }

    /// <summary>Notes what was told, and tells what others should have.</summary>
    /// <exception cref="StorageUnavailableException">Redis did not answer; the next look goes on.</exception>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        await NoteToldAsync(cancellationToken);
        var untold = center.Untold;
        foreach (var gone in seen.Keys.Except(untold, ReferenceEqualityComparer.Instance).Cast<AlertNotice>().ToList())
        {
            seen.Remove(gone);
        }

        foreach (var notice in untold)
        {
            seen.TryAdd(notice, timeProvider.GetUtcNow());
            if (timeProvider.GetUtcNow() - seen[notice] < Patience)
            {
                continue;
            }

            var missed = await NoteAsync(notice, claim: true, cancellationToken);
            if (missed)
            {
                logger.AlertMissed(notice.Alert.Identity);
            }

            center.Settle(notice, tell: missed);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception exception) when (exception.IsOfRedis())
            {
                // Nobody sees the results of others meanwhile either; who found something tells it all the same.
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await PauseAsync(stoppingToken);
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            // The sinks were asked until a moment ago.
            await NoteToldAsync(cancellationToken);
        }
        catch (Exception exception) when (exception.IsOfRedis() || exception is OperationCanceledException)
        {
            // Another replica may tell it a second time, which is better than never.
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        wake.Dispose();
        base.Dispose();
    }

    private async Task NoteToldAsync(CancellationToken cancellationToken)
    {
        foreach (var (identity, notice) in toNote)
        {
            await NoteAsync(notice, claim: false, cancellationToken);
            toNote.TryRemove(KeyValuePair.Create(identity, notice));
        }
    }

    private async Task<bool> NoteAsync(AlertNotice notice, bool claim, CancellationToken cancellationToken)
    {
        var severity = notice.State == AlertState.Resolved ? "" : notice.Alert.Severity == AlertSeverity.Critical ? "critical" : "warning";
        return (int)await connection.EvaluateAsync(
            Script,
            [keys.Maintenance("alerts:told")],
            [notice.Alert.Identity, severity, claim ? "claim" : "set", (long)KeyLife.TotalMilliseconds],
            cancellationToken,
            connection.DeadlineOfAtLeast(LeastDeadline)) == 1;
    }

    // What was told is noted at once: killed before, this replica would leave it to be told twice.
    private async Task PauseAsync(CancellationToken stoppingToken)
    {
        try
        {
            await wake.WaitAsync(LookInterval, stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // The loop's condition ends it.
        }
    }
}
