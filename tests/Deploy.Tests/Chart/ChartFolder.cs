using Maintenance.Testing;

namespace Maintenance.Deploy.Tests.Chart;

/// <summary>Where the chart and its files lie.</summary>
internal static class ChartFolder
{
    public static string Root { get; } = Path.Combine(BuiltProgram.RepositoryRoot, "deploy", "helm", "maintenance");

    public static IEnumerable<string> CiFiles() => Directory.GetFiles(In("ci"), "*-values.yaml").Order(StringComparer.Ordinal);

    public static string In(params string[] parts) => Path.Combine([Root, .. parts]);

    public static string Read(params string[] parts) => File.ReadAllText(In(parts));
}
