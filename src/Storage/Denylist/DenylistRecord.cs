using System.Globalization;

namespace Maintenance.Storage.Denylist;

/// <summary>The value of an entry: <c>1:&lt;denied ms&gt;:&lt;until ms&gt;:&lt;reason&gt;</c>, format 1; <c>deny.lua</c> writes it.</summary>
internal static class DenylistRecord
{
    private static readonly DenylistEntry Unreadable = new(null, null, null);

    /// <summary>Reads a value. One of another format still denies; it only has nothing to tell.</summary>
    public static DenylistEntry Parse(string value)
    {
        var parts = value.Split(':', 4);
        return parts is ["1", _, _, _] && Time(parts[1]) is { } deniedAt && Time(parts[2]) is { } until
            ? new DenylistEntry(deniedAt, until, parts[3].Length > 0 ? parts[3] : null)
            : Unreadable;
    }

    /// <summary>A time in milliseconds, rounded up, so that a denial does not end before the token.</summary>
    public static long CeilingMilliseconds(DateTimeOffset time) =>
        (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond;

    private static DateTimeOffset? Time(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds < 253_402_300_800_000
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;
}
