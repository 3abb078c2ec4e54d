using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Cli;

/// <summary>A result for a person.</summary>
internal static class ResultText
{
    public static async Task WriteAsync(TextWriter output, JobResult result)
    {
        var reason = result.Reason is null ? "" : $" ({result.Reason})";
        var dryRun = result.DryRun ? ", dry run: nothing was changed" : "";
        await output.WriteLineAsync($"{result.Job}: {JobMetrics.Label(result.Outcome)}{reason} in {result.DurationSeconds:0.###} s{dryRun}");
        var width = result.Counts.Keys.Select(name => name.Length).DefaultIfEmpty().Max();
        foreach (var (name, count) in result.Counts)
        {
            await output.WriteLineAsync($"  {name.Replace('_', ' ').PadRight(width)}  {count,12:N0}");
        }

        await ListAsync(output, "warning", result.Warnings);
        await ListAsync(output, "error", result.Errors);
        if (result.ErrorCount > result.Errors.Count)
        {
            await output.WriteLineAsync($"  and {result.ErrorCount - result.Errors.Count:N0} more errors");
        }

        await ListAsync(output, "not offered by this Redis", result.Unavailable);
    }

    private static async Task ListAsync(TextWriter output, string what, IReadOnlyList<string> lines)
    {
        foreach (var line in lines)
        {
            await output.WriteLineAsync($"  {what}: {line}");
        }
    }
}
