using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Results;

/// <summary>How results of other replicas arrive. Bound from <c>Results</c>.</summary>
public sealed class ResultsOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Results";

    /// <summary>How often this replica looks for new results; each pause varies by a fifth. Default 5 s.</summary>
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>Stops the start with the name of a wrong setting.</summary>
internal sealed class ResultsOptionsValidator : IValidateOptions<ResultsOptions>
{
    public ValidateOptionsResult Validate(string? name, ResultsOptions options) =>
        options.RefreshInterval >= TimeSpan.FromMilliseconds(100) && options.RefreshInterval <= TimeSpan.FromMinutes(10)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"{ResultsOptions.Section}:{nameof(ResultsOptions.RefreshInterval)} is {options.RefreshInterval}; expected 100 ms to 10 minutes.");
}
