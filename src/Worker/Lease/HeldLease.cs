using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Lease;

/// <summary>Whether a lease was still its holder's when the run ended.</summary>
public enum LeaseEnd
{
    /// <summary>It was; its due time is recorded as done.</summary>
    Recorded,

    /// <summary>It was not; nothing was recorded.</summary>
    Lost,

    /// <summary>It was, but a full Redis refused to record the due time of a job that may go without its lease.</summary>
    Unrecorded,

    /// <summary>Redis did not say.</summary>
    Unknown,
}

/// <summary>
/// A lease that a run holds. Renews itself every third of its life, and cancels <see cref="Lost"/> when another has it or when it ran out by this
/// process's monotonic clock: after a pause of the whole process, or with Redis out of reach, nobody else needs to say so.
/// </summary>
public sealed class HeldLease : IAsyncDisposable
{
    // A paused process that goes on must notice within 2 s.
    private static readonly TimeSpan LongestLook = TimeSpan.FromMilliseconds(500);

    private readonly JobLease lease;
    private readonly string job;
    private readonly string holder;
    private readonly DateTimeOffset? due;
    private readonly bool mayGoWithout;
    private readonly TimeProvider timeProvider;
    private readonly LeaseMetrics metrics;
    private readonly ILogger logger;
    private readonly CancellationTokenSource lost = new();
    private readonly CancellationTokenSource ended = new();
    private readonly Task watching;
    private long confirmed;

    internal HeldLease(
        JobLease lease,
        string job,
        string holder,
        DateTimeOffset? due,
        bool mayGoWithout,
        long sent,
        TimeProvider timeProvider,
        LeaseMetrics metrics,
        ILogger logger)
    {
        this.lease = lease;
        this.job = job;
        this.holder = holder;
        this.due = due;
        this.mayGoWithout = mayGoWithout;
        this.timeProvider = timeProvider;
        this.metrics = metrics;
        this.logger = logger;
        confirmed = sent;
        watching = Task.Run(WatchAsync);
    }

    /// <summary>Canceled when the lease is no longer this run's.</summary>
    public CancellationToken Lost => lost.Token;

    /// <summary>Whether it is certainly this run's at this moment.</summary>
    public bool IsHeld => !lost.IsCancellationRequested && timeProvider.GetElapsedTime(Volatile.Read(ref confirmed)) < lease.Duration;

    /// <summary>Ends it and marks its due time as done.</summary>
    public async Task<LeaseEnd> CompleteAsync(CancellationToken cancellationToken)
    {
        await StopWatchingAsync();
        try
        {
            return await lease.CompleteAsync(job, holder, due, cancellationToken) ? LeaseEnd.Recorded : LeaseEnd.Lost;
        }
        catch (Exception exception) when (mayGoWithout && exception.IsOfFullRedis())
        {
            logger.LeaseNotEnded(job, exception.Message);
            return LeaseEnd.Unrecorded;
        }
        catch (Exception exception) when (exception.IsOfRedis())
        {
            logger.LeaseNotEnded(job, exception.Message);
            return LeaseEnd.Unknown;
        }
    }

    /// <summary>Gives it back with its due time not done, so that another replica can do it.</summary>
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        await StopWatchingAsync();
        try
        {
            await lease.ReleaseAsync(job, holder, cancellationToken);
        }
        catch (Exception exception) when (exception.IsOfRedis())
        {
            // It ends by itself within its duration.
            logger.LeaseNotEnded(job, exception.Message);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopWatchingAsync();
        lost.Dispose();
        ended.Dispose();
    }

    private async Task StopWatchingAsync()
    {
        await ended.CancelAsync();
        await watching;
    }

    private async Task WatchAsync()
    {
        var third = lease.Duration / 3;
        var look = third < LongestLook ? third : LongestLook;
        var attempted = confirmed;
        try
        {
            while (!ended.IsCancellationRequested)
            {
                await Task.Delay(look, timeProvider, ended.Token);
                if (timeProvider.GetElapsedTime(Volatile.Read(ref confirmed)) >= lease.Duration)
                {
                    await LoseAsync("it ran out before it could be renewed");
                    return;
                }

                if (timeProvider.GetElapsedTime(attempted) < third)
                {
                    continue;
                }

                var sent = timeProvider.GetTimestamp();
                try
                {
                    if (!await lease.RenewAsync(job, holder, ended.Token))
                    {
                        await LoseAsync("another replica has it");
                        return;
                    }

                    attempted = sent;
                    Volatile.Write(ref confirmed, sent);
                }
                catch (Exception exception) when (mayGoWithout && exception.IsOfFullRedis())
                {
                    // Still the holder's: the script looks before it writes, and whoever wants to take over has to write too. What makes room must go on.
                    logger.LeaseNotRenewed(job, exception.Message);
                    attempted = sent;
                    Volatile.Write(ref confirmed, sent);
                }
                catch (StorageUnavailableException exception)
                {
                    // Tried again at the next look, until it has run out.
                    logger.LeaseNotRenewed(job, exception.Message);
                }
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The run is over.
        }
        catch (Exception exception)
        {
            // Nobody renews it any more, so it is as good as lost, and the run must hear of it.
            await LoseAsync($"it could not be renewed: {exception.Message}");
        }
        finally
        {
            metrics.Ended(job);
        }
    }

    private async Task LoseAsync(string reason)
    {
        logger.LeaseLost(job, reason);
        await lost.CancelAsync();
    }
}
