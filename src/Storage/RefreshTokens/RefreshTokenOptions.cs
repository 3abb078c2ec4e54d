using Microsoft.Extensions.Options;

namespace Maintenance.Storage.RefreshTokens;

/// <summary>How refresh tokens behave. Bound from <c>Storage:RefreshTokens</c>. Their life is <see cref="TokenLifetimeOptions.RefreshToken"/>.</summary>
public sealed class RefreshTokenOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:RefreshTokens";

    /// <summary>
    /// How long after an exchange the exchanged token may be sent again, because its answer was lost. 0 to 5 min; 0 forbids it. Default 10 s.
    /// </summary>
    public TimeSpan RotationGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Families a user may have; on one more the one that would expire first leaves. 1 to 1,000; default 100.</summary>
    public int MaxFamiliesPerUser { get; set; } = 100;
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class RefreshTokenOptionsValidator : IValidateOptions<RefreshTokenOptions>
{
    public ValidateOptionsResult Validate(string? name, RefreshTokenOptions options)
    {
        var failures = new List<string>();
        if (options.RotationGrace < TimeSpan.Zero || options.RotationGrace > TimeSpan.FromMinutes(5))
        {
            failures.Add($"{RefreshTokenOptions.Section}:RotationGrace is {options.RotationGrace}; expected 0 to 5 minutes.");
        }

        if (options.MaxFamiliesPerUser is < 1 or > 1_000)
        {
            failures.Add($"{RefreshTokenOptions.Section}:MaxFamiliesPerUser is {options.MaxFamiliesPerUser}; expected 1 to 1000.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
