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
                if (own)
                {
                    queue.Writer.TryWrite(notices);
                }
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
