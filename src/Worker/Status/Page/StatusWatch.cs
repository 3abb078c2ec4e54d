using Maintenance.Storage.Redis;
using Maintenance.Worker.Results;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Status.Page;

/// <summary>
/// Asks Redis in the background for the one thing that the page shows and that no result tells: whether the jobs are paused. The page itself asks
/// nothing.
/// </summary>
internal sealed class StatusWatch(
    PauseState pause, RedisConnection connection, IOptions<ResultsOptions> options, TimeProvider timeProvider) : BackgroundService
{
    private volatile WatchedStatus status = new(null, Connected: true, null);

    /// <summary>What was last seen.</summary>
    public WatchedStatus Status => status;

    /// <summary>Looks once.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            var paused = await pause.GetAsync(cancellationToken);
            status = new WatchedStatus(paused, Connected: true, null);
        }
        catch (Exception exception) when (exception.IsOfRedis())
        {
            // A pause that was seen goes on until somebody sees that it is over.
            status = new WatchedStatus(status.Paused, connection.IsConnected, exception.Message);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.RefreshInterval, timeProvider);
        do
        {
            await LookAsync(stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}

/// <summary>What the watch saw.</summary>
/// <param name="Paused">The pause in force, or null.</param>
/// <param name="Connected">Whether there is a connection to Redis.</param>
/// <param name="Problem">Why Redis did not answer; null if it did.</param>
public sealed record WatchedStatus(Pause? Paused, bool Connected, string? Problem);
