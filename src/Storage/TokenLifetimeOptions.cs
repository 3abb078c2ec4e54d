using Microsoft.Extensions.Options;

namespace Maintenance.Storage;

/// <summary>How long tokens live. Bound from <c>Storage:Tokens</c>; the environment names of the older backends rank below it.</summary>
public sealed class TokenLifetimeOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:Tokens";

    /// <summary>
    /// Life of a refresh token's family. 1 min to 400 days; default 7 days (environment: <c>REFRESH_TOKEN_TTL_DAYS</c>, or
    /// <c>REFRESH_TOKEN_EXPIRY</c> as <c>7d</c>, <c>24h</c>, <c>30m</c>, <c>900s</c>).
    /// </summary>
    public TimeSpan RefreshToken { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Life of a password-reset token. 1 min to 7 days; default 15 min (environment: <c>RESET_TOKEN_TTL_HOURS</c>).</summary>
    public TimeSpan PasswordReset { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Life of a second-factor challenge. 30 s to 1 h; default 5 min (environment: <c>MFA_TOKEN_TTL_MINUTES</c>).</summary>
    public TimeSpan TwoFactorChallenge { get; set; } = TimeSpan.FromMinutes(5);
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class TokenLifetimeOptionsValidator : IValidateOptions<TokenLifetimeOptions>
{
    public ValidateOptionsResult Validate(string? name, TokenLifetimeOptions options)
    {
        var failures = new List<string>();
        void Check(TimeSpan life, TimeSpan shortest, TimeSpan longest, string setting)
        {
            if (life < shortest || life > longest)
            {
                failures.Add($"{TokenLifetimeOptions.Section}:{setting} is {life}; expected {shortest} to {longest}.");
            }
        }

        Check(options.RefreshToken, TimeSpan.FromMinutes(1), TimeSpan.FromDays(400), "RefreshToken (or REFRESH_TOKEN_TTL_DAYS, REFRESH_TOKEN_EXPIRY)");
        Check(options.PasswordReset, TimeSpan.FromMinutes(1), TimeSpan.FromDays(7), "PasswordReset (or RESET_TOKEN_TTL_HOURS)");
        Check(options.TwoFactorChallenge, TimeSpan.FromSeconds(30), TimeSpan.FromHours(1), "TwoFactorChallenge (or MFA_TOKEN_TTL_MINUTES)");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
