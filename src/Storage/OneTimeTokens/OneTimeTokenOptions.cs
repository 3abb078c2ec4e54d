using Microsoft.Extensions.Options;

namespace Maintenance.Storage.OneTimeTokens;

/// <summary>
/// How one-time tokens behave. Bound from <c>Storage:OneTimeTokens</c>. The life of a password reset is <see cref="TokenLifetimeOptions.PasswordReset"/>.
/// </summary>
public sealed class OneTimeTokenOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:OneTimeTokens";

    /// <summary>Life of an e-mail verification. 1 min to 30 days; default 24 h.</summary>
    public TimeSpan EmailVerification { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Life of a magic link. 1 min to 24 h; default 15 min.</summary>
    public TimeSpan MagicLink { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Tokens of one purpose that a user may have at a time, so that asking often does not fill the store; on one more the oldest leaves.
    /// 1 (only the newest works) to 100; default 3.
    /// </summary>
    public int MaxActivePerUser { get; set; } = 3;

    internal TimeSpan LifeOf(OneTimePurpose purpose, TokenLifetimeOptions lifetimes) => purpose switch
    {
        OneTimePurpose.PasswordReset => lifetimes.PasswordReset,
        OneTimePurpose.EmailVerification => EmailVerification,
        OneTimePurpose.MagicLink => MagicLink,
        _ => throw new ArgumentOutOfRangeException(nameof(purpose), purpose, "Not a purpose of one-time tokens."),
    };
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class OneTimeTokenOptionsValidator : IValidateOptions<OneTimeTokenOptions>
{
    public ValidateOptionsResult Validate(string? name, OneTimeTokenOptions options)
    {
        var failures = new List<string>();
        void Check(bool valid, string setting, string problem)
        {
            if (!valid)
            {
                failures.Add($"{OneTimeTokenOptions.Section}:{setting} {problem}.");
            }
        }

        Check(
            options.EmailVerification >= TimeSpan.FromMinutes(1) && options.EmailVerification <= TimeSpan.FromDays(30),
            "EmailVerification",
            $"is {options.EmailVerification}; expected 1 minute to 30 days");
        Check(
            options.MagicLink >= TimeSpan.FromMinutes(1) && options.MagicLink <= TimeSpan.FromHours(24),
            "MagicLink",
            $"is {options.MagicLink}; expected 1 minute to 24 hours");
        Check(options.MaxActivePerUser is >= 1 and <= 100, "MaxActivePerUser", $"is {options.MaxActivePerUser}; expected 1 to 100");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
