using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Analytics;

/// <summary>What is recorded of activity and log-ins, and for how long. Bound from <c>Storage:Analytics</c>.</summary>
public sealed class AnalyticsOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:Analytics";

    /// <summary>Whether log-ins, rotations and log-outs are recorded as they happen. Default true.</summary>
    public bool RecordSessions { get; set; } = true;

    /// <summary>Activities kept of a session; one more drops the oldest. 1 to 1,000; default 50.</summary>
    public int ActivitiesPerSession { get; set; } = 50;

    /// <summary>Life of a session's activities after the last one. 1 min to 30 days; default 24 h.</summary>
    public TimeSpan ActivityLife { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Past sessions shown of a user. 1 to 200; default 20.</summary>
    public int PastSessions { get; set; } = 20;

    /// <summary>Devices remembered of a user; one more drops the one not seen for longest. 1 to 200; default 20.</summary>
    public int DevicesPerUser { get; set; } = 20;

    /// <summary>Life of a user's totals, devices and history after the last event. 1 to 3,650 days; default 365.</summary>
    public TimeSpan UserLife { get; set; } = TimeSpan.FromDays(365);

    /// <summary>How long a day's numbers are kept. 1 to 400 days; default 90.</summary>
    public TimeSpan DayLife { get; set; } = TimeSpan.FromDays(90);

    /// <summary>Events kept to tell a user's past sessions: each has a beginning, an end and perhaps a rotation.</summary>
    internal int EventsKept => PastSessions * 4;
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class AnalyticsOptionsValidator : IValidateOptions<AnalyticsOptions>
{
    public ValidateOptionsResult Validate(string? name, AnalyticsOptions options)
    {
        var failures = new List<string>();
        void Check(bool valid, string setting, object value, string expected)
        {
            if (!valid)
            {
                failures.Add($"{AnalyticsOptions.Section}:{setting} is {value}; expected {expected}.");
            }
        }

        static bool Within(TimeSpan value, TimeSpan least, TimeSpan most) => value >= least && value <= most;
        var day = TimeSpan.FromDays(1);
        Check(options.ActivitiesPerSession is >= 1 and <= 1000, "ActivitiesPerSession", options.ActivitiesPerSession, "1 to 1000");
        Check(Within(options.ActivityLife, TimeSpan.FromMinutes(1), 30 * day), "ActivityLife", options.ActivityLife, "1 min to 30 days");
        Check(options.PastSessions is >= 1 and <= 200, "PastSessions", options.PastSessions, "1 to 200");
        Check(options.DevicesPerUser is >= 1 and <= 200, "DevicesPerUser", options.DevicesPerUser, "1 to 200");
        Check(Within(options.UserLife, day, 3650 * day), "UserLife", options.UserLife, "1 to 3650 days");
        Check(Within(options.DayLife, day, 400 * day), "DayLife", options.DayLife, "1 to 400 days");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
