namespace Maintenance.Testing;

/// <summary>What promtool said.</summary>
/// <param name="ExitCode">0 when it is content.</param>
/// <param name="Output">Both streams.</param>
public sealed record PromtoolResult(int ExitCode, string Output);

/// <summary>Runs the real <c>promtool</c>.</summary>
public static class Promtool
{
    // Unit tests of rules take seconds of work, and the machine may be busy.
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    /// <summary>Parses and lints a text exposition: exit 1 when it does not parse, 3 when the linter objects.</summary>
    public static Task<PromtoolResult> CheckMetricsAsync(string text) => RunAsync(["check", "metrics"], text);

    /// <summary>Runs promtool with any arguments.</summary>
    public static async Task<PromtoolResult> RunAsync(IEnumerable<string> arguments, string? input = null)
    {
        await using var process = ChildProcess.Start("promtool", arguments, input: input);
        var exit = await process.WaitForExitAsync(Timeout);
        return new PromtoolResult(exit, string.Join('\n', process.Output.Concat(process.Errors)));
    }
}
