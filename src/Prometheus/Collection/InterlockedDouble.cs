namespace Maintenance.Prometheus.Collection;

internal static class InterlockedDouble
{
    public static void Add(ref double target, double value)
    {
        var before = Volatile.Read(ref target);
        while (true)
        {
            var seen = Interlocked.CompareExchange(ref target, before + value, before);
            if (BitConverter.DoubleToInt64Bits(seen) == BitConverter.DoubleToInt64Bits(before)) return;
            before = seen;
        }
    }
}
