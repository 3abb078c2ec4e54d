using System.Threading.Channels;
using Maintenance.Worker.Lease;
using Maintenance.Worker.Results;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Alerting;

/// <summary>
/// Follows the results of every job and keeps the ledger. What is to be told leaves only on the replica that ran the job, through a queue, so that no
/// job waits for a sink.
/// </summary>
public sealed class AlertCenter
{
    // Far more than changes can come in while the slowest sink times out; beyond it the oldest are dropped, and what lasts is repeated anyway.
    private const int QueueLength = 1000;

    private readonly IReadOnlyList<IAlertRule> rules;
    private readonly IOptionsMonitor<AlertingOptions> options;
    private readonly ReplicaName replica;
    private readonly Lock gate = new();
    private readonly AlertLedger ledger = new();
    // What other replicas found, by the alert's identity: told by them, unless they were killed before.
    private readonly Dictionary<string, AlertNotice> untold = new(StringComparer.Ordinal);
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<IReadOnlyList<AlertNotice>> queue = Channel.CreateBounded<IReadOnlyList<AlertNotice>>(
        new BoundedChannelOptions(QueueLength) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    /// <summary>Creates the center with every rule there is.</summary>
    public AlertCenter(IEnumerable<IAlertRule> rules, IOptionsMonitor<AlertingOptions> options, ReplicaName replica)
    {
        this.rules = [.. rules];
        this.options = options;
        this.replica = replica;
    }

    /// <summary>What fires now, as far as this replica knows.</summary>
    public IReadOnlyList<Alert> Firing
    {
        get
        {
            lock (gate)
            {
                return ledger.Firing;
            }
        }
    }

    /// <summary>What fires now and since when, the most urgent first.</summary>
    public IReadOnlyList<LastingAlert> Lasting
    {
        get
        {
            lock (gate)
            {
                return ledger.Lasting;
            }
        }
    }

    /// <summary>What other replicas found and this one does not know to be told.</summary>
    internal IReadOnlyList<AlertNotice> Untold
    {
        get
        {
            lock (gate)
            {
                return [.. untold.Values];
            }
        }
    }

    /// <summary>Ends when something is to be told, by this replica or another. Read it before <see cref="Lasting"/>.</summary>
    internal Task Changed
    {
        get
        {
            lock (gate)
            {
                return changed.Task;
            }
        }
    }

    /// <summary>What is to be told, a list for each evaluation.</summary>
    internal ChannelReader<IReadOnlyList<AlertNotice>> Notices => queue.Reader;

    /// <summary>Takes a result of any replica, however the run came about.</summary>
    public void Take(JobResult result)
    {
        if (result.OneShot)
        {
            // Its process sends nothing: taken, it would pass for told. What lasts is told with the next run of a serving replica.
            return;
        }

        var own = result.Replica == replica.Value;
        foreach (var rule in rules.Where(rule => rule.Job is null || rule.Job == result.Job))
        {
            if (rule.Evaluate(result) is not { } found)
            {
                continue;
            }

            lock (gate)
            {
                var notices = ledger.Take($"{rule.Name}/{result.Job}", found, ResultStore.Ended(result), options.CurrentValue.RepeatInterval);
                if (notices.Count == 0)
                {
                    continue;
                }

                changed.SetResult();
                changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                foreach (var notice in notices)
                {
                    untold.Remove(notice.Alert.Identity);
                    if (!own && !notice.Repeated)
                    {
                        untold[notice.Alert.Identity] = notice;
                    }
                }

                if (own)
                {
                    queue.Writer.TryWrite(notices);
                }
            }
        }
    }

    /// <summary>It is known whether that was told; if it was not, this replica tells it.</summary>
    internal void Settle(AlertNotice notice, bool tell)
    {
        lock (gate)
        {
            if (!untold.TryGetValue(notice.Alert.Identity, out var newest) || !ReferenceEquals(newest, notice))
            {
                // Something newer has come, with a time of its own.
                return;
            }

            untold.Remove(notice.Alert.Identity);
            if (tell)
            {
                queue.Writer.TryWrite([notice]);
            }
        }
    }
}

/// <summary>Shows one job's results to the center.</summary>
internal sealed class AlertObserver(string job, AlertCenter center) : IJobResultObserver
{
    public string Job => job;

    public void Observe(JobResult result) => center.Take(result);
}
