using System.Globalization;
using System.Runtime.InteropServices;

namespace Maintenance.Bench;

/// <summary>Names the machine, because a figure without one means nothing.</summary>
internal static class Machine
{
    public static string Describe()
    {
        var model = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            : null;
        return $"{model ?? "unknown processor"}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}";
    }
}

/// <summary>Medians, because the machine may be shared.</summary>
internal static class Statistics
{
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    public static string Row(string name, IReadOnlyCollection<double> values, string format = "0.0") => string.Create(
        CultureInfo.InvariantCulture,
        $"  {name,-34} median {Median(values).ToString(format, CultureInfo.InvariantCulture),9}   min {values.Min().ToString(format, CultureInfo.InvariantCulture),9}   max {values.Max().ToString(format, CultureInfo.InvariantCulture),9}");
}
