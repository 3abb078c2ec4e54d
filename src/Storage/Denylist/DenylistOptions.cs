using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Denylist;

/// <summary>How long denials live. Bound from <c>Storage:Denylist</c>.</summary>
public sealed class DenylistOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:Denylist";

    /// <summary>
    /// How much longer than its expiry a token is denied, because validators accept one for so long (Microsoft.IdentityModel's default is 5 min).
    /// 0 to 1 h; default 5 min.
    /// </summary>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a token is denied whose expiry is not known. Default 24 h.</summary>
    public TimeSpan DefaultLife { get; set; } = TimeSpan.FromHours(24);

    /// <summary>A denial that would last longer is refused, so that nothing stays for ever by mistake. Default 400 days.</summary>
    public TimeSpan LongestLife { get; set; } = TimeSpan.FromDays(400);
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class DenylistOptionsValidator : IValidateOptions<DenylistOptions>
{
    private static readonly TimeSpan Most = TimeSpan.FromDays(3650);

    public ValidateOptionsResult Validate(string? name, DenylistOptions options)
    {
        var failures = new List<string>();
        void Check(bool valid, string setting, string problem)
        {
            if (!valid)
            {
                failures.Add($"{DenylistOptions.Section}:{setting} {problem}.");
            }
        }

        Check(options.ClockSkew >= TimeSpan.Zero && options.ClockSkew <= TimeSpan.FromHours(1), "ClockSkew", $"is {options.ClockSkew}; expected 0 to 1 h");
        Check(options.LongestLife >= TimeSpan.FromMinutes(1) && options.LongestLife <= Most, "LongestLife", $"is {options.LongestLife}; expected 1 min to {Most.TotalDays} days");
        Check(options.DefaultLife >= TimeSpan.FromSeconds(1) && options.DefaultLife <= options.LongestLife, "DefaultLife", $"is {options.DefaultLife}; expected 1 s to LongestLife {options.LongestLife}");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
