namespace Maintenance.Bench;

/// <summary>How much a run measures: fully, or just enough to see that every benchmark still works (<c>--quick</c>), whose figures mean nothing.</summary>
internal static class Effort
{
    private const int Share = 50;

    public static bool Quick { get; set; }

    public static int Users(int full) => Quick ? Math.Max(20, full / Share) : full;

    public static int Runs(int full) => Quick ? 1 : full;

    public static TimeSpan Slice(TimeSpan full) => Quick ? full / Share : full;
}
