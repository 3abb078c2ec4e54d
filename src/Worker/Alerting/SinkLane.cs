using System.Threading.Channels;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Alerting;

/// <summary>
/// The way to one sink: a queue of its own, so that a dead receiver delays nobody else. What is not taken is tried again, at growing distances and for as
/// long as it is true: meanwhile newer notices of an alert replace the older ones, so the queue never outgrows the alerts there are.
/// </summary>
internal sealed class SinkLane(IAlertSink sink, SinkOutcomes outcomes, IOptionsMonitor<AlertingOptions> options, TimeProvider timeProvider)
{
    // Far more than changes can come in while the slowest sink times out; beyond it the oldest are dropped, and what lasts is repeated anyway.
    private const int QueueLength = 1000;

    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(1);

    private readonly Channel<HandedNotices> queue = Channel.CreateBounded<HandedNotices>(
        new BoundedChannelOptions(QueueLength) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    /// <summary>Notices that shutdown cut off; known after <see cref="RunAsync"/> has ended.</summary>
    public int Lost { get; private set; }

    public void Put(HandedNotices handed) => queue.Writer.TryWrite(handed);

    /// <summary>Nothing more comes: what is queued is sent, then the lane ends.</summary>
    public void Complete() => queue.Writer.TryComplete();

    /// <param name="stopping">Ends the waiting between tries; one last one follows.</param>
    /// <param name="end">Ends everything.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken end)
    {
        await foreach (var handed in queue.Reader.ReadAllAsync(CancellationToken.None))
        {
            if (end.IsCancellationRequested)
            {
                Lost += handed.Notices.Count;
                continue;
            }

            await DeliverAsync(handed, stopping, end);
        }
    }

    private async Task DeliverAsync(HandedNotices handed, CancellationToken stopping, CancellationToken end)
    {
        var notices = handed.Notices;
        List<HandedNotices> untried = [handed];
        var delay = options.CurrentValue.RetryDelay;
        while (true)
        {
            var last = stopping.IsCancellationRequested;
            var (done, asked) = await TryAsync(notices, end);
            if (done || !end.IsCancellationRequested)
            {
                untried.ForEach(each => each.Tried());
                untried.Clear();
            }

            if (done)
            {
                return;
            }

            if (last || end.IsCancellationRequested)
            {
                Lost += notices.Count;
                return;
            }

            // Replicas that failed together must not come back together.
            var wait = delay * (0.8 + (Random.Shared.NextDouble() * 0.4));
            await WaitAsync(asked > wait ? asked.Value : wait, stopping);
            while (queue.Reader.TryRead(out var newer))
            {
                notices = Newest(notices, newer.Notices);
                untried.Add(newer);
            }

            delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
        }
    }

    private async Task<(bool Done, TimeSpan? RetryAfter)> TryAsync(IReadOnlyList<AlertNotice> notices, CancellationToken end)
    {
        using var timeout = new CancellationTokenSource(options.CurrentValue.SinkTimeout, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, end);
        try
        {
            await sink.SendAsync(notices, either.Token).WaitAsync(either.Token);
            outcomes.Took(sink.Name, notices.Count);
            return (true, null);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // Shutdown is no fault of the sink; what was cut off is said at the end.
            return (false, null);
        }
        catch (OperationCanceledException)
        {
            outcomes.Failed(sink.Name, notices.Count, $"no end within {options.CurrentValue.SinkTimeout.TotalSeconds:0.#} s (Alerting:SinkTimeout)");
            return (false, null);
        }
        catch (SinkRefusedException exception)
        {
            outcomes.Lost(sink.Name, notices.Count, exception.Message);
            return (true, null);
        }
        catch (Exception exception)
        {
            outcomes.Failed(sink.Name, notices.Count, SinkHttp.Describe(exception));
            var asked = (exception as SinkUnavailableException)?.RetryAfter;
            return (false, asked > LongestDelay ? LongestDelay : asked);
        }
    }

    private async Task WaitAsync(TimeSpan wait, CancellationToken stopping)
    {
        try
        {
            await Task.Delay(wait, timeProvider, stopping);
        }
        catch (OperationCanceledException)
        {
            // The last try comes at once.
        }
    }

    /// <summary>Of each alert the newest notice, in the order in which they came.</summary>
    private static List<AlertNotice> Newest(IReadOnlyList<AlertNotice> older, IReadOnlyList<AlertNotice> newer)
    {
        var replaced = newer.Select(notice => notice.Alert.Identity).ToHashSet(StringComparer.Ordinal);
        return [.. older.Where(notice => !replaced.Contains(notice.Alert.Identity)), .. newer];
    }
}

/// <summary>What a lane is given.</summary>
/// <param name="Notices">What is to be told.</param>
/// <param name="Tried">To be called once, when the sink has been asked to take it, whatever it answered.</param>
internal sealed record HandedNotices(IReadOnlyList<AlertNotice> Notices, Action Tried);
