using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Alerting;

/// <summary>When alerts are sent. Bound from <c>Alerting</c>.</summary>
public sealed class AlertingOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Alerting";

    /// <summary>An alert that lasts is sent again after so long. Default 4 h.</summary>
    public TimeSpan RepeatInterval { get; set; } = TimeSpan.FromHours(4);

    /// <summary>A reconciliation that finds more drift than this is an alert: something writes past the store. Default 1,000 members.</summary>
    public long DriftAbove { get; set; } = 1000;

    /// <summary>Longest time a sink may take for one message. Default 10 s.</summary>
    public TimeSpan SinkTimeout { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>Refuses values with which alerts would flood or never leave.</summary>
internal sealed class AlertingOptionsValidator : IValidateOptions<AlertingOptions>
{
    public ValidateOptionsResult Validate(string? name, AlertingOptions options)
    {
        List<string> errors = [];
        if (options.RepeatInterval < TimeSpan.FromMinutes(1))
        {
            errors.Add($"Alerting:RepeatInterval is {options.RepeatInterval}; expected a minute or more.");
        }

        if (options.DriftAbove < 0)
        {
            errors.Add($"Alerting:DriftAbove is {options.DriftAbove}; expected 0 or more.");
        }

        if (options.SinkTimeout <= TimeSpan.Zero || options.SinkTimeout > TimeSpan.FromMinutes(5))
        {
            errors.Add($"Alerting:SinkTimeout is {options.SinkTimeout}; expected more than 0 and at most 5 minutes.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
