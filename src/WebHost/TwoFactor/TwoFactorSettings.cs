using Maintenance.WebHost.Hosting;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.TwoFactor;

/// <summary>Second factors. Bound from <c>TwoFactor</c>.</summary>
internal sealed class TwoFactorSettings
{
    public const string Section = "TwoFactor";

    /// <summary>Name that authenticator apps show. 1 to 64 characters without a colon; default <c>Maintenance</c>.</summary>
    public string Issuer { get; set; } = "Maintenance";
}

internal sealed class TwoFactorSettingsValidator : IValidateOptions<TwoFactorSettings>
{
    public ValidateOptionsResult Validate(string? name, TwoFactorSettings options)
    {
        var failures = new SettingFailures(TwoFactorSettings.Section);
        failures.Check(
            options.Issuer is { Length: > 0 and <= 64 } && !options.Issuer.Contains(':', StringComparison.Ordinal),
            "Issuer",
            $"is '{options.Issuer}'; expected 1 to 64 characters without a colon");
        return failures.Result;
    }
}
