using Microsoft.Extensions.Options;

namespace Maintenance.Storage.RateLimiting;

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class RateLimitOptionsValidator : IValidateOptions<RateLimitOptions>
{
    private const int MostPermits = 10_000_000;

    // Intervals are whole microseconds, rounded up; from 100 us on that costs a subject less than 1 % of its permits.
    private const double MostPermitsPerSecond = 10_000;

    private static readonly TimeSpan Longest = TimeSpan.FromDays(31);

    public ValidateOptionsResult Validate(string? name, RateLimitOptions options)
    {
        var failures = new List<string>();
        foreach (var (policy, limit) in options.Policies)
        {
            void Check(bool valid, string setting, string problem)
            {
                if (!valid)
                {
                    failures.Add($"{RateLimitOptions.Section}:{policy}{setting} {problem}.");
                }
            }

            Check(IsName(policy), "", "is not a policy's name; expected lower-case letters, digits, '-' and '_', at most 40");
            Check(limit.Permits is >= 1 and <= MostPermits, ":Permits", $"is {limit.Permits}; expected 1 to {MostPermits}");
            Check(limit.Period >= TimeSpan.FromMilliseconds(1) && limit.Period <= Longest, ":Period", $"is {limit.Period}; expected 1 ms to 31 days");
            Check(limit.Permits <= MostPermitsPerSecond * limit.Period.TotalSeconds, ":Permits", $"is {limit.Permits} in {limit.Period}; expected at most {MostPermitsPerSecond} a second");
            Check(limit.Burst is null or (>= 1 and <= MostPermits), ":Burst", $"is {limit.Burst}; expected 1 to {MostPermits}");
            Check(
                limit.Period.TotalDays / Math.Max(1, limit.Permits) * (limit.Burst ?? limit.Permits) <= 366,
                ":Burst",
                $"is {limit.Burst ?? limit.Permits}, which takes more than 366 days to come back at {limit.Permits} in {limit.Period}");
            Check(limit.OutageShare is > 0 and <= 1, ":OutageShare", $"is {limit.OutageShare}; expected above 0 and at most 1");
            var penalty = limit.Penalty;
            Check(penalty.Threshold is >= 0 and <= 1_000_000, ":Penalty:Threshold", $"is {penalty.Threshold}; expected 0 to 1000000");
            Check(penalty.FirstBlock >= TimeSpan.FromMilliseconds(1), ":Penalty:FirstBlock", $"is {penalty.FirstBlock}; expected 1 ms or more");
            Check(penalty.LongestBlock >= penalty.FirstBlock && penalty.LongestBlock <= Longest, ":Penalty:LongestBlock", $"is {penalty.LongestBlock}; expected FirstBlock {penalty.FirstBlock} to 31 days");
            Check(penalty.Decay >= TimeSpan.FromMilliseconds(1) && penalty.Decay <= Longest, ":Penalty:Decay", $"is {penalty.Decay}; expected 1 ms to 31 days");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static bool IsName(string policy) =>
        policy.Length is > 0 and <= 40 && policy.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_');
}
