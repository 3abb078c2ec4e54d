using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Quartz;

namespace Maintenance.Worker.Scheduling;

/// <summary>When a job is due: an interval, or a Quartz cron expression in UTC. Due times are such that replicas agree on them without talking.</summary>
public sealed class JobSchedule
{
    /// <summary>Shortest interval.</summary>
    public static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);

    /// <summary>Longest interval; results and leases are kept a little longer.</summary>
    public static readonly TimeSpan LongestInterval = TimeSpan.FromDays(30);

    private readonly TimeSpan interval;

    private JobSchedule(TimeSpan interval) => this.interval = interval;

    private JobSchedule(CronExpression cron) => Cron = cron;

    /// <summary>The cron expression; null for an interval.</summary>
    public CronExpression? Cron { get; }

    /// <summary>Reads a schedule.</summary>
    /// <param name="text">An interval with colons (<c>00:05:00</c>) or a Quartz cron expression.</param>
    /// <param name="schedule">The schedule.</param>
    /// <param name="problem">What is wrong with it, to follow the setting's name.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out JobSchedule? schedule, [NotNullWhen(false)] out string? problem)
    {
        schedule = null;
        problem = null;
        if (string.IsNullOrWhiteSpace(text))
        {
            problem = "is empty; expected an interval such as 00:05:00 or a cron expression such as '0 0 * * * ?'";
            return false;
        }

        if (TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var interval))
        {
            // TimeSpan reads a bare number as days, which nobody means.
            if (!text.Contains(':', StringComparison.Ordinal))
            {
                problem = $"is '{text}', which would be days; write an interval as hh:mm:ss";
                return false;
            }

            if (interval < ShortestInterval || interval > LongestInterval)
            {
                problem = $"is '{text}'; an interval is 00:00:01 to 30.00:00:00";
                return false;
            }

            schedule = new JobSchedule(interval);
            return true;
        }

        if (!CronExpression.TryParse(text, out var cron))
        {
            problem = $"is '{text}', neither an interval such as 00:05:00 nor a Quartz cron expression such as '0 0 * * * ?' (six or seven fields, UTC)";
            return false;
        }

        schedule = new JobSchedule(cron.WithTimeZone(TimeZoneInfo.Utc));
        return true;
    }

    /// <summary>
    /// Time between two due times. Of a cron expression: from the last one to the next, or from the one before to the last if that is longer, because
    /// the run after a long gap (a night, a weekend) has not ended when it begins.
    /// </summary>
    public TimeSpan IntervalAt(DateTimeOffset now)
    {
        if (Cron is null)
        {
            return interval;
        }

        var next = Cron.GetNextValidTimeAfter(now);
        // The last one may be this second's.
        var last = Cron.GetPreviousValidTimeBefore(now.AddSeconds(1));
        var before = last is { } time ? Cron.GetPreviousValidTimeBefore(time) : null;
        var (following, passed) = (next - last, last - before);
        return (following > passed ? following : passed ?? following) ?? LongestInterval;
    }

    /// <summary>
    /// The due time to which a firing belongs. Each replica's interval starts at a moment of its own, so an interval is cut into slots that begin at
    /// the same moments everywhere, and one firing falls into each.
    /// </summary>
    public DateTimeOffset DueOf(DateTimeOffset scheduledFiring)
    {
        if (Cron is not null)
        {
            // A firing that was late carries the moment it was caught up with; its due time is the last one that the expression names.
            return Cron.GetPreviousValidTimeBefore(scheduledFiring.AddSeconds(1)) ?? scheduledFiring;
        }

        var ticks = scheduledFiring.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks;
        return new DateTimeOffset(DateTimeOffset.UnixEpoch.UtcTicks + (ticks - (ticks % interval.Ticks)), TimeSpan.Zero);
    }

    /// <summary>The due time after one.</summary>
    public DateTimeOffset NextDue(DateTimeOffset due) =>
        Cron is null ? due + interval : Cron.GetNextValidTimeAfter(due) ?? due + LongestInterval;

    /// <summary>How many due times there are from one (counted) to another (not counted).</summary>
    internal long CountDue(DateTimeOffset from, DateTimeOffset until)
    {
        if (Cron is null)
        {
            return Math.Max(0, (until - from).Ticks / interval.Ticks);
        }

        var count = 0L;
        for (var due = from; due < until; due = NextDue(due))
        {
            count++;
        }

        return count;
    }

    /// <summary>Whether it will ever be due again.</summary>
    public bool HasFuture(DateTimeOffset now) => Cron is null || Cron.GetNextValidTimeAfter(now) is not null;
}
