using Microsoft.Extensions.Options;

namespace Maintenance.Storage.TwoFactor;

/// <summary>How two-factor challenges behave. Bound from <c>Storage:TwoFactor</c>. Their life is <see cref="TokenLifetimeOptions.TwoFactorChallenge"/>.</summary>
public sealed class TwoFactorOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:TwoFactor";

    /// <summary>Attempts that one challenge allows. 1 to 100; default 5.</summary>
    public int MaxAttempts { get; set; } = 5;

    /// <summary>
    /// Attempts that a user has over all challenges within <see cref="AttemptWindow"/>, so that a new challenge gives no new attempts.
    /// At least <see cref="MaxAttempts"/>, at most 1,000; default 10.
    /// </summary>
    public int MaxAttemptsPerUser { get; set; } = 10;

    /// <summary>How long attempts count for the user, from the first; also how long a user stays locked at most. 1 min to 24 h; default 15 min.</summary>
    public TimeSpan AttemptWindow { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long the last accepted time step is remembered; longer than any code is accepted. 2 min to 24 h; default 10 min.</summary>
    public TimeSpan TimeStepMemory { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Challenges that a user may have at a time; on one more the oldest leaves. 1 to 100; default 5.</summary>
    public int MaxActivePerUser { get; set; } = 5;
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class TwoFactorOptionsValidator : IValidateOptions<TwoFactorOptions>
{
    public ValidateOptionsResult Validate(string? name, TwoFactorOptions options)
    {
        var failures = new List<string>();
        void Check(bool valid, string setting, string problem)
        {
            if (!valid)
            {
                failures.Add($"{TwoFactorOptions.Section}:{setting} {problem}.");
            }
        }

        Check(options.MaxAttempts is >= 1 and <= 100, "MaxAttempts", $"is {options.MaxAttempts}; expected 1 to 100");
        Check(
            options.MaxAttemptsPerUser >= options.MaxAttempts && options.MaxAttemptsPerUser <= 1_000,
            "MaxAttemptsPerUser",
            $"is {options.MaxAttemptsPerUser}; expected MaxAttempts ({options.MaxAttempts}) to 1000");
        Check(
            options.AttemptWindow >= TimeSpan.FromMinutes(1) && options.AttemptWindow <= TimeSpan.FromHours(24),
            "AttemptWindow",
            $"is {options.AttemptWindow}; expected 1 minute to 24 hours");
        Check(
            options.TimeStepMemory >= TimeSpan.FromMinutes(2) && options.TimeStepMemory <= TimeSpan.FromHours(24),
            "TimeStepMemory",
            $"is {options.TimeStepMemory}; expected 2 minutes to 24 hours");
        Check(options.MaxActivePerUser is >= 1 and <= 100, "MaxActivePerUser", $"is {options.MaxActivePerUser}; expected 1 to 100");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
