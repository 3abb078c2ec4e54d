using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Worker.Lease;

/// <summary>How a claim ended.</summary>
public enum ClaimOutcome
{
    /// <summary>The lease is ours.</summary>
    Claimed,

    /// <summary>This due time, or a later one, has been done.</summary>
    Done,

    /// <summary>Another run holds it.</summary>
    Held,

    /// <summary>The due time lies more than an interval ahead of Redis's clock: this replica's clock is wrong.</summary>
    Early,
}

/// <summary>The answer to a claim.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Lease">The lease, if claimed.</param>
/// <param name="Replica">Who holds it, if held.</param>
public sealed record Claim(ClaimOutcome Outcome, HeldLease? Lease = null, string? Replica = null);

/// <summary>
/// One key a job that says which run of which replica has it, and which due time was done last. It only saves double work: every repair is safe
/// when it comes late or twice.
/// </summary>
public sealed class JobLease(
    RedisConnection connection,
    RedisKeys keys,
    IOptions<LeaseOptions> options,
    ReplicaName replica,
    LeaseMetrics metrics,
    TimeProvider timeProvider,
    ILogger<JobLease> logger)
{
    // Longer than any interval, so that a due time stays done until the next one is.
    private static readonly TimeSpan KeyLife = JobSchedule.LongestInterval + TimeSpan.FromDays(10);

    // Clocks of a healthy network differ a little, and intervals may be as short as a second.
    private static readonly TimeSpan LeastAhead = TimeSpan.FromMinutes(1);

    /// <summary>How long a renewal may take, and the least that the other calls may; a lease is worth more patience than a request.</summary>
    internal static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(1);

    private static readonly RedisScript ClaimScript = Load("claim");
    private static readonly RedisScript RenewScript = Load("renew");
    private static readonly RedisScript CompleteScript = Load("complete");
    private static readonly RedisScript ReleaseScript = Load("release");

    /// <summary>Life of a lease.</summary>
    public TimeSpan Duration => options.Value.Duration;

    /// <summary>How often to look again at a lease that another run holds.</summary>
    public TimeSpan RetryInterval => options.Value.Duration / 3;

    /// <summary>Tries once.</summary>
    /// <param name="job">The job's name.</param>
    /// <param name="due">The due time; null for a run by hand, which only must not overlap.</param>
    /// <param name="runId">Makes the holder unique.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="interval">Time between two due times: how far ahead of Redis's clock one may lie. The longest that there is when not known.</param>
    /// <param name="leaseless">When the job may go on although the lease cannot be written.</param>
    /// <exception cref="StorageUnavailableException">Redis did not answer, or is full.</exception>
    /// <exception cref="RedisServerException">Redis refused it.</exception>
    public async Task<Claim> ClaimAsync(
        string job,
        DateTimeOffset? due,
        string runId,
        CancellationToken cancellationToken,
        TimeSpan? interval = null,
        LeaselessRuns leaseless = LeaselessRuns.Never)
    {
        var ahead = interval ?? JobSchedule.LongestInterval;
        ahead = ahead > LeastAhead ? ahead : LeastAhead;
        var holder = $"{replica.Value}/{runId}";
        // Taken before the call: the lease may end earlier for us than for Redis, never later.
        var sent = timeProvider.GetTimestamp();
        RedisResult[] reply;
        try
        {
            reply = (RedisResult[])(await connection.EvaluateAsync(
                ClaimScript,
                [Key(job)],
                [holder, replica.Value, Milliseconds(due), (long)Duration.TotalMilliseconds, (long)KeyLife.TotalMilliseconds, (long)ahead.TotalMilliseconds],
                cancellationToken,
                Patience))!;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await GiveUpAsync(job, holder);
            throw;
        }

        switch ((string?)reply[0])
        {
            case "done":
                return new Claim(ClaimOutcome.Done);
            case "early":
                logger.ClockAhead(job, TimeSpan.FromMilliseconds((double)reply[1]));
                return new Claim(ClaimOutcome.Early);
            case "held":
                return new Claim(ClaimOutcome.Held, Replica: (string?)reply[1]);
            default:
                var before = (string?)reply[1];
                metrics.Acquired(job, takenOver: !string.IsNullOrEmpty(before) && before != replica.Value);
                return new Claim(ClaimOutcome.Claimed, new HeldLease(this, job, holder, due, leaseless != LeaselessRuns.Never, sent, timeProvider, metrics, logger));
        }
    }

    /// <summary>Lengthens it; false if it is not the holder's any more.</summary>
    internal async Task<bool> RenewAsync(string job, string holder, CancellationToken cancellationToken) =>
        (int)await connection.EvaluateAsync(
            RenewScript, [Key(job)], [holder, (long)Duration.TotalMilliseconds], cancellationToken, CallDeadline) == 1;

    /// <summary>Ends it and marks its due time as done; false if it was not the holder's any more.</summary>
    internal async Task<bool> CompleteAsync(string job, string holder, DateTimeOffset? due, CancellationToken cancellationToken) =>
        (int)await connection.EvaluateAsync(CompleteScript, [Key(job)], [holder, Milliseconds(due)], cancellationToken, Patience) == 1;

    /// <summary>Gives it back with its due time not done.</summary>
    internal async Task<bool> ReleaseAsync(string job, string holder, CancellationToken cancellationToken, TimeSpan? deadline = null) =>
        (int)await connection.EvaluateAsync(ReleaseScript, [Key(job)], [holder], cancellationToken, deadline ?? Patience) == 1;

    // Sent is sent: what nobody waits for any more may be claimed all the same, and others would wait for its end. On the same connection, so behind it;
    // not with a verb's patience, because whoever pressed Ctrl-C waits.
    private async Task GiveUpAsync(string job, string holder)
    {
        try
        {
            await ReleaseAsync(job, holder, CancellationToken.None, CallDeadline);
        }
        catch (Exception exception) when (exception.IsOfRedis())
        {
            logger.LeaseNotEnded(job, exception.Message);
        }
    }

    // A renewal is tried again and must end before its lease does. These are asked once: whoever is patient with Redis, as a verb is, is so with them.
    private TimeSpan Patience => connection.DeadlineOfAtLeast(CallDeadline);

    private RedisKey Key(string job) => keys.Maintenance($"lease:{job}");

    private static RedisValue Milliseconds(DateTimeOffset? due) => due is { } time ? time.ToUnixTimeMilliseconds() : "";

    private static RedisScript Load(string name) => RedisScript.Load(typeof(JobLease).Assembly, $"Lease/{name}.lua");
}

/// <summary>Names this replica in leases, results and logs: the host's name (a pod's) and a part that no restart repeats.</summary>
public sealed record ReplicaName(string Value)
{
    /// <summary>Whether it is a verb of the command line, which ends after its run and sends no alert.</summary>
    public bool OneShot { get; init; }

    /// <summary>A name for this process.</summary>
    public static ReplicaName OfThisProcess() => new($"{Environment.MachineName}-{Guid.NewGuid().ToString("N")[..6]}");
}
