using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.MemoryAlerts;

/// <summary>From when on memory is an alert. Bound from <c>Jobs:MemoryAlerts</c>.</summary>
/// <remarks>
/// The limit that used memory is compared with is <see cref="LimitBytes"/>, else the server's <c>maxmemory</c>, else the memory of its machine. Without
/// the first two the run warns: the machine's memory is shared, and in a container its own limit may be far below.
/// </remarks>
public sealed class MemoryAlertsOptions : JobOptions
{
    /// <summary>Share of the limit from which on there is a warning. Default 0.8.</summary>
    public double Warning { get; set; } = 0.8;

    /// <summary>Share of the limit from which on it is critical. Default 0.9.</summary>
    public double Critical { get; set; } = 0.9;

    /// <summary>An alert ends when the share is so far below its threshold, so that it does not come and go with each login. Default 0.05.</summary>
    public double ClearBelow { get; set; } = 0.05;

    /// <summary>The limit in bytes, where the server's own setting is not the truth (a container, a managed offer). Default: the server's.</summary>
    public long? LimitBytes { get; set; }

    /// <summary>Whether the machine's memory is the limit where there is no other. Default true.</summary>
    public bool UseSystemMemory { get; set; } = true;

    /// <summary>Whether a missing <c>maxmemory</c> is worth a warning each run. Default true.</summary>
    public bool WarnWithoutLimit { get; set; } = true;

    /// <summary>Most runs that a forecast may look back on: it compares each pair of them, and each result carries them.</summary>
    public const int MaxForecastSamples = 240;

    /// <summary>Runs that the forecast looks back on, 5 to <see cref="MaxForecastSamples"/>. Default 60: an hour at one a minute.</summary>
    public int ForecastSamples { get; set; } = 60;

    /// <summary>A forecast further away than this is none. Default 30 days.</summary>
    public TimeSpan ForecastHorizon { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Keys drawn at random to estimate bytes by kind; 0 draws none. Default 200.</summary>
    public int SampleKeys { get; set; } = 200;

    /// <summary>Longest wait for one answer. Default 2 s.</summary>
    public TimeSpan CallDeadline { get; set; } = TimeSpan.FromSeconds(2);
}

/// <summary>Refuses thresholds that could never fire or never end.</summary>
internal sealed class MemoryAlertsOptionsValidator : IValidateOptions<MemoryAlertsOptions>
{
    public ValidateOptionsResult Validate(string? name, MemoryAlertsOptions options)
    {
        List<string> errors = [];
        if (options.Warning is not (> 0 and <= 1) || options.Critical is not (> 0 and <= 1) || options.Warning > options.Critical)
        {
            errors.Add($"Jobs:MemoryAlerts:Warning and Critical are {options.Warning} and {options.Critical}; expected above 0, at most 1, and the warning not above the critical one.");
        }

        if (options.ClearBelow < 0 || options.ClearBelow >= options.Warning)
        {
            errors.Add($"Jobs:MemoryAlerts:ClearBelow is {options.ClearBelow}; expected 0 or more and below Warning.");
        }

        if (options.LimitBytes <= 0)
        {
            errors.Add($"Jobs:MemoryAlerts:LimitBytes is {options.LimitBytes}; expected more than 0.");
        }

        if (options.ForecastSamples is < MemoryForecast.MinimumSamples or > MemoryAlertsOptions.MaxForecastSamples)
        {
            errors.Add($"Jobs:MemoryAlerts:ForecastSamples is {options.ForecastSamples}; expected {MemoryForecast.MinimumSamples} to {MemoryAlertsOptions.MaxForecastSamples}.");
        }

        if (options.SampleKeys is < 0 or > 100_000)
        {
            errors.Add($"Jobs:MemoryAlerts:SampleKeys is {options.SampleKeys}; expected 0 to 100000.");
        }

        if (options.CallDeadline <= TimeSpan.Zero)
        {
            errors.Add($"Jobs:MemoryAlerts:CallDeadline is {options.CallDeadline}; expected more than 0.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
