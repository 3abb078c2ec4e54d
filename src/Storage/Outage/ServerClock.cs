namespace Maintenance.Storage.Outage;

/// <summary>
/// Redis's clock as one probe has measured it: the answer was given between two moments of this host. So each time of this host can be put on Redis's
/// clock too late at most, or too early at most, whichever denies more.
/// </summary>
/// <param name="ServerMicroseconds">Redis's time in the answer.</param>
/// <param name="Before">This host's time before the probe.</param>
/// <param name="After">This host's time after it.</param>
/// <param name="Timestamp">The monotonic clock after it.</param>
internal readonly record struct ServerClock(long ServerMicroseconds, DateTimeOffset Before, DateTimeOffset After, long Timestamp)
{
    /// <summary>A host's time on Redis's clock, not earlier than it was.</summary>
    public long AtLatest(DateTimeOffset time, TimeSpan tolerance) => Microseconds(time + tolerance) + ServerMicroseconds - Microseconds(Before);

    /// <summary>A host's time on Redis's clock, not later than it was.</summary>
    public long AtEarliest(DateTimeOffset time, TimeSpan tolerance) => Microseconds(time - tolerance) + ServerMicroseconds - Microseconds(After);

    /// <summary>Redis's time now and a while on.</summary>
    public long In(TimeSpan time, TimeProvider timeProvider) =>
        ServerMicroseconds + ((timeProvider.GetElapsedTime(Timestamp) + time).Ticks / TimeSpan.TicksPerMicrosecond);

    private static long Microseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
