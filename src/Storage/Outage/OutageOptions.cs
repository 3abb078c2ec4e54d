using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Outage;

/// <summary>What happens while Redis is away. Bound from <c>Storage:Outage</c>.</summary>
public sealed class OutageOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:Outage";

    /// <summary>Sessions. Default: <see cref="OutagePolicy.Memory"/> in Development, <see cref="OutagePolicy.Deny"/> elsewhere.</summary>
    public OutagePolicy? Sessions { get; set; }

    /// <summary>Rate limits. Memory, the default: each host grants by itself a share of each limit. Deny: nothing is granted.</summary>
    public OutagePolicy RateLimits { get; set; } = OutagePolicy.Memory;

    /// <summary>Refresh tokens. Only Deny is allowed.</summary>
    public OutagePolicy RefreshTokens { get; set; }

    /// <summary>One-time tokens. Only Deny is allowed.</summary>
    public OutagePolicy OneTimeTokens { get; set; }

    /// <summary>Two-factor challenges. Only Deny is allowed.</summary>
    public OutagePolicy TwoFactor { get; set; }

    /// <summary>OAuth states. Only Deny is allowed.</summary>
    public OutagePolicy OAuthStates { get; set; }

    /// <summary>The denylist. Only Deny is allowed: a token that nobody can look up is denied.</summary>
    public OutagePolicy Denylist { get; set; }

    /// <summary>
    /// File in which revocations are kept that Redis could not take, on a volume that survives the host. Its folder is made. Default none: a revocation
    /// while Redis is away is answered as unavailable.
    /// </summary>
    public string? JournalFile { get; set; }

    /// <summary>Revocations that the journal may hold; one more is answered as unavailable. Default 100,000.</summary>
    public int JournalEntries { get; set; } = 100_000;

    /// <summary>Longest wait for the journal, after which the revocation is answered as unavailable. Default 2 s.</summary>
    public TimeSpan JournalDeadline { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How far the clocks of hosts may be apart from Redis's beyond what is measured at the replay. Sessions that began so short after a journalled
    /// revocation end with it. Default 5 s.
    /// </summary>
    public TimeSpan ClockTolerance { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often an absent Redis is asked whether it is back. Default 0.5 s.</summary>
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Calls within <see cref="BreakerWindow"/> before their failures can open the breaker. Default 4.</summary>
    public int BreakerCalls { get; set; } = 4;

    /// <summary>Share of those calls that must have failed. Above 0 to 1; default 0.5.</summary>
    public double BreakerFailureRatio { get; set; } = 0.5;

    /// <summary>Time over which calls are counted. Default 5 s.</summary>
    public TimeSpan BreakerWindow { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class OutageOptionsValidator : IValidateOptions<OutageOptions>
{
    public ValidateOptionsResult Validate(string? name, OutageOptions options)
    {
        var failures = new List<string>();
        void Check(bool valid, string setting, string problem)
        {
            if (!valid)
            {
                failures.Add($"{OutageOptions.Section}:{setting} {problem}.");
            }
        }

        void Between(TimeSpan value, TimeSpan least, TimeSpan most, string setting) =>
            Check(value >= least && value <= most, setting, $"is {value}; expected {least} to {most}");

        void Denies(OutagePolicy policy, string setting, string what) => Check(
            policy == OutagePolicy.Deny, setting, $"is {policy}; {what} are always denied while Redis is away, because a second store would accept them twice");

        Check(options.Sessions is null || Enum.IsDefined(options.Sessions.Value), "Sessions", $"is {options.Sessions}; expected Deny or Memory");
        Check(Enum.IsDefined(options.RateLimits), "RateLimits", $"is {options.RateLimits}; expected Deny or Memory");
        Denies(options.RefreshTokens, "RefreshTokens", "refresh tokens");
        Denies(options.OneTimeTokens, "OneTimeTokens", "one-time tokens");
        Denies(options.TwoFactor, "TwoFactor", "two-factor challenges");
        Denies(options.OAuthStates, "OAuthStates", "OAuth states");
        Check(options.Denylist == OutagePolicy.Deny, "Denylist", $"is {options.Denylist}; a token that cannot be looked up is always denied while Redis is away");
        Check(options.JournalEntries is >= 1 and <= 10_000_000, "JournalEntries", $"is {options.JournalEntries}; expected 1 to 10000000");
        Between(options.JournalDeadline, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1), "JournalDeadline");
        Between(options.ClockTolerance, TimeSpan.Zero, TimeSpan.FromMinutes(5), "ClockTolerance");
        Between(options.ProbeInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1), "ProbeInterval");
        Check(options.BreakerCalls is >= 2 and <= 1_000_000, "BreakerCalls", $"is {options.BreakerCalls}; expected 2 to 1000000");
        Check(options.BreakerFailureRatio is > 0 and <= 1, "BreakerFailureRatio", $"is {options.BreakerFailureRatio}; expected above 0 to 1");
        Between(options.BreakerWindow, TimeSpan.FromMilliseconds(500), TimeSpan.FromMinutes(10), "BreakerWindow");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
