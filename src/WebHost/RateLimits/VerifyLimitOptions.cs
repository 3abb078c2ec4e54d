using Maintenance.WebHost.Hosting;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.RateLimits;

/// <summary>The limit of <c>verify</c>, which each host keeps by itself. Bound from <c>Verify</c>.</summary>
internal sealed class VerifyLimitOptions
{
    public const string Section = "Verify";

    /// <summary>Requests a second and address. 1 to 10 million; default 20,000: a gateway's whole traffic comes from one address.</summary>
    public int PermitsPerSecond { get; set; } = 20_000;
}

internal sealed class VerifyLimitOptionsValidator : IValidateOptions<VerifyLimitOptions>
{
    public ValidateOptionsResult Validate(string? name, VerifyLimitOptions options)
    {
        var failures = new SettingFailures(VerifyLimitOptions.Section);
        failures.Check(options.PermitsPerSecond is >= 1 and <= 10_000_000, "PermitsPerSecond", $"is {options.PermitsPerSecond}; expected 1 to 10000000");
        return failures.Result;
    }
}
