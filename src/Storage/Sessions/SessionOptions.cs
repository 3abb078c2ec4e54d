using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Sessions;

/// <summary>How sessions live. Bound from <c>Storage:Sessions</c>. Hosts may differ: a session keeps the lifetimes it was created with.</summary>
public sealed class SessionOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:Sessions";

    /// <summary>Longest life that any session may have.</summary>
    internal static readonly TimeSpan LongestLife = TimeSpan.FromDays(400);

    /// <summary>Life without any request. Whole seconds, at most 400 days. Default 24 h (environment: <c>SESSION_TTL</c>, seconds).</summary>
    public TimeSpan SlidingExpiration { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Life at most, however busy. Whole seconds, at least the sliding one. Default 7 days.</summary>
    public TimeSpan AbsoluteExpiration { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Last-seen and expiry are written at most once in this time, or in half the sliding expiry of a session that lives shorter; zero: at every validation. Default 1 min.</summary>
    public TimeSpan RenewalInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a rotated id goes on answering, for the parallel requests of one page. Default 10 s.</summary>
    public TimeSpan RotationGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Sessions a user may have; on one more the one that would expire first leaves. Default 100.</summary>
    public int MaxSessionsPerUser { get; set; } = 100;

    /// <summary>
    /// How long after the log-in a session's address and user agent are kept; zero: they are not stored. They are not shown any more from then on, and
    /// leave the record at the session's next renewal or the next run of <c>session-cleanup</c>. At most, and by default, 400 days: as long as any session.
    /// </summary>
    public TimeSpan ClientDetailsLife { get; set; } = LongestLife;

    /// <summary>
    /// Format in which records are written. Default 1, which every version of this library reads. Set 2 (adds the time of authentication) when
    /// no program is left that reads only format 1; both formats are always read.
    /// </summary>
    public int RecordFormat { get; set; } = 1;
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class SessionOptionsValidator : IValidateOptions<SessionOptions>
{
    // 32 bits of seconds fit far more; this keeps a typing error (days for hours) from going unnoticed.
    private static readonly TimeSpan Longest = SessionOptions.LongestLife;

    public ValidateOptionsResult Validate(string? name, SessionOptions options)
    {
        var failures = new List<string>();
        void Check(bool valid, string setting, string problem)
        {
            if (!valid)
            {
                failures.Add($"{SessionOptions.Section}:{setting} {problem}.");
            }
        }

        Check(options.SlidingExpiration >= TimeSpan.FromSeconds(1) && options.SlidingExpiration <= Longest, "SlidingExpiration (or SESSION_TTL)", $"is {options.SlidingExpiration}; expected 1 s to 400 days");
        Check(options.AbsoluteExpiration >= options.SlidingExpiration, "AbsoluteExpiration", $"is {options.AbsoluteExpiration}, shorter than SlidingExpiration {options.SlidingExpiration}");
        Check(options.AbsoluteExpiration <= Longest, "AbsoluteExpiration", $"is {options.AbsoluteExpiration}; expected at most 400 days");
        Check(options.RenewalInterval >= TimeSpan.Zero && options.RenewalInterval < options.SlidingExpiration, "RenewalInterval", $"is {options.RenewalInterval}; expected 0 to less than SlidingExpiration");
        Check(options.RotationGrace > TimeSpan.Zero && options.RotationGrace <= TimeSpan.FromMinutes(5), "RotationGrace", $"is {options.RotationGrace}; expected above 0 and at most 5 minutes");
        Check(options.MaxSessionsPerUser is >= 1 and <= 10_000, "MaxSessionsPerUser", $"is {options.MaxSessionsPerUser}; expected 1 to 10000");
        Check(options.ClientDetailsLife >= TimeSpan.Zero && options.ClientDetailsLife <= Longest, "ClientDetailsLife", $"is {options.ClientDetailsLife}; expected 0 to 400 days");
        Check(options.RecordFormat is >= SessionRecordFormat.Oldest and <= SessionRecordFormat.Newest, "RecordFormat", $"is {options.RecordFormat}; this version writes {SessionRecordFormat.Oldest} to {SessionRecordFormat.Newest}");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
