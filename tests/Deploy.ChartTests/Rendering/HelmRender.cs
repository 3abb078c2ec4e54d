namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>The Go program in tests/helm-render, compiled once a test run against Debian's sprig.</summary>
internal static class HelmRender
{
    private static readonly string Source = Path.Combine(BuiltProgram.RepositoryRoot, "tests", "helm-render");

    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "helm-render");

    private static readonly Lazy<Task> Compiled = new(CompileAsync);

    /// <summary>Its standard output.</summary>
    /// <exception cref="ChartException">It failed; the message is its standard error.</exception>
    public static async Task<string> RunAsync(IEnumerable<string> arguments, string? chart = null)
    {
        await Compiled.Value;
        await using var program = ChildProcess.Start(Program, arguments.Append(chart ?? ChartFolder.Root));
        var exit = await program.WaitForExitAsync(TimeSpan.FromMinutes(3));
        return exit == 0 ? string.Join('\n', program.Output) : throw new ChartException(string.Join('\n', program.Errors));
    }

    private static async Task CompileAsync()
    {
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["GO111MODULE"] = "off",
            ["GOPATH"] = "/usr/share/gocode",
            ["GOFLAGS"] = null,
            ["GOCACHE"] = Environment.GetEnvironmentVariable("GOCACHE") ?? Path.Combine(Path.GetTempPath(), "helm-render-build"),
        };
        await using var compiler = ChildProcess.Start("go", ["build", "-o", Program, "."], environment, Source);
        if (await compiler.WaitForExitAsync(TimeSpan.FromMinutes(5)) != 0)
        {
            throw new InvalidOperationException($"tests/helm-render does not compile.\n{compiler.Tail()}");
        }
    }
}

/// <summary>The chart refused the values, or a template is wrong.</summary>
internal sealed class ChartException(string message) : Exception(message);
