using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Lease;

/// <summary>How long a replica owns a run without saying so again. Bound from <c>Lease</c>. Replicas should agree.</summary>
public sealed class LeaseOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Lease";

    /// <summary>Life of a lease, renewed every third of it. After a crash another replica goes on within two of these. Default 15 s.</summary>
    public TimeSpan Duration { get; set; } = TimeSpan.FromSeconds(15);
}

/// <summary>Stops the start with the name of a wrong setting.</summary>
internal sealed class LeaseOptionsValidator : IValidateOptions<LeaseOptions>
{
    public ValidateOptionsResult Validate(string? name, LeaseOptions options) =>
        options.Duration >= TimeSpan.FromSeconds(1) && options.Duration <= TimeSpan.FromMinutes(10)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"{LeaseOptions.Section}:{nameof(LeaseOptions.Duration)} is {options.Duration}; expected 1 second to 10 minutes.");
}
