namespace Maintenance.Deploy.ChartTests.Running;

/// <summary>Prints what was measured into the test run's output.</summary>
public sealed class RunOutput
{
#pragma warning disable CA1822 // a fixture's member
    public void Write(string line) => Console.WriteLine($"[measured] {line}");
#pragma warning restore CA1822
}
