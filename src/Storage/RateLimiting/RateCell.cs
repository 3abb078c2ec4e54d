namespace Maintenance.Storage.RateLimiting;

/// <summary>
/// A subject's state and the arithmetic of GCRA on it; <c>acquire.lua</c> and <c>refund.lua</c> do the same, and a test compares them step by step.
/// All times are microseconds.
/// </summary>
/// <param name="Tat">When the bucket would be full again.</param>
/// <param name="BlockedUntil">End of the last block; 0 for none.</param>
/// <param name="Denials">Denials towards the next block.</param>
/// <param name="Level">Blocks that count for the length of the next one.</param>
/// <param name="Since">From when denials and level fade.</param>
internal readonly record struct RateCell(long Tat, long BlockedUntil, int Denials, int Level, long Since)
{
    /// <summary>Decides about a request at a time.</summary>
    /// <returns>The answer, and the cell to store with its life; no cell when nothing changes.</returns>
    public static (RateAnswer Answer, (RateCell Cell, long Life)? Write) Acquire(RateCell? stored, RateNumbers limit, int cost, long now)
    {
        var tolerance = limit.Tolerance;
        var tat = Math.Clamp(stored?.Tat ?? now, now, now + tolerance);
        long blocked = 0, since = 0;
        int denials = 0, level = 0;
        if (stored is { } cell && limit.Threshold > 0)
        {
            (blocked, since) = (Math.Min(cell.BlockedUntil, now + limit.LongestBlock), Math.Min(cell.Since, now + limit.LongestBlock));
            (denials, level) = (cell.Denials, cell.Level);
        }

        if ((denials > 0 || level > 0) && now - since >= limit.Decay)
        {
            var faded = (now - since) / limit.Decay;
            (denials, level, since) = (0, (int)Math.Max(0, level - faded), since + (faded * limit.Decay));
        }

        var ahead = tat + (Math.Max(cost, 1) * limit.Interval);
        var decision = RateLimitDecision.Allowed;
        var write = false;
        if (blocked > now)
        {
            decision = RateLimitDecision.Penalized;
        }
        else if (ahead - now > tolerance)
        {
            decision = RateLimitDecision.Denied;
            if (cost > 0 && limit.Threshold > 0)
            {
                (write, denials, since) = (true, denials + 1, now);
                if (denials >= limit.Threshold)
                {
                    var block = limit.Block(level);
                    level = block < limit.LongestBlock ? level + 1 : Math.Max(level, 1);
                    (decision, denials, blocked) = (RateLimitDecision.Penalized, 0, now + block);
                    since = blocked;
                }
            }
        }
        else if (cost > 0)
        {
            (tat, write) = (ahead, true);
        }

        var held = Math.Max(0, blocked - now);
        var answer = new RateAnswer(
            decision,
            held > 0 ? 0 : (tolerance - (tat - now)) / limit.Interval,
            Math.Max(tat - now, held),
            decision == RateLimitDecision.Allowed ? 0 : Math.Max(held, Math.Max(ahead - tolerance - now, 0)),
            now);
        if (!write)
        {
            return (answer, null);
        }

        var offended = denials > 0 || level > 0;
        var ends = Math.Max(tat, blocked);
        ends = offended ? Math.Max(ends, since + (limit.Decay * Math.Max(level, 1))) : ends;
        return (answer, (offended ? new RateCell(tat, blocked, denials, level, since) : new RateCell(tat, 0, 0, 0, 0), ends - now));
    }

    /// <summary>The cell after a refund; null when nothing is given back.</summary>
    public RateCell? Refund(RateNumbers limit, int cost, long chargedAt, long now)
    {
        var back = (cost * limit.Interval) - Math.Max(0, now - chargedAt);
        return back <= 0 || Tat <= now ? null : this with { Tat = Math.Max(now, Tat - back) };
    }
}

/// <summary>A decision in the store's units, microseconds.</summary>
internal readonly record struct RateAnswer(RateLimitDecision Decision, long Remaining, long Reset, long Retry, long Now)
{
    public RateLimitResult ToResult(string policy, RateNumbers limit) => new()
    {
        Policy = policy,
        Decision = Decision,
        Limit = limit.Burst,
        Remaining = (int)Math.Max(0, Remaining),
        ResetAfter = TimeSpan.FromMicroseconds(Reset),
        RetryAfter = Decision == RateLimitDecision.Allowed ? null : TimeSpan.FromMicroseconds(Retry),
        AtMicroseconds = Now,
    };
}

/// <summary>A policy in whole microseconds. The interval is rounded up, so that never more than the policy says gets through.</summary>
internal readonly record struct RateNumbers(long Interval, int Burst, int Threshold, long FirstBlock, long LongestBlock, long Decay)
{
    public long Tolerance => Interval * Burst;

    /// <param name="policy">The policy.</param>
    /// <param name="share">Above 0 to 1: how much of it to grant; at least one permit is left.</param>
    public static RateNumbers Of(RateLimitPolicy policy, double share = 1)
    {
        var permits = Math.Max(1, (int)(policy.Permits * share));
        var burst = Math.Max(1, (int)((policy.Burst ?? policy.Permits) * share));
        return new RateNumbers(
            (long)Math.Ceiling(policy.Period.TotalMicroseconds / permits),
            burst,
            policy.Penalty.Threshold,
            (long)policy.Penalty.FirstBlock.TotalMicroseconds,
            (long)policy.Penalty.LongestBlock.TotalMicroseconds,
            (long)policy.Penalty.Decay.TotalMicroseconds);
    }

    /// <summary>Length of the block at a level: doubles, up to the longest.</summary>
    public long Block(int level) => (long)Math.Min(FirstBlock * Math.Pow(2, level), LongestBlock);
}
