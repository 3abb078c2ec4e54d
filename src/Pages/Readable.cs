namespace Maintenance.Pages;

/// <summary>Figures and times as people read them. The script writes distances in the same words.</summary>
public static class Readable
{
    private static readonly string[] ByteUnits = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>Bytes with three digits or so: <c>1.4 GiB</c>.</summary>
    public static string Bytes(long bytes)
    {
        double value = bytes;
        var unit = 0;
        while (Math.Abs(value) >= 1024 && unit < ByteUnits.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return $"{(unit == 0 || Math.Abs(value) >= 100 ? $"{value:0}" : Math.Abs(value) >= 10 ? $"{value:0.0}" : $"{value:0.00}")} {ByteUnits[unit]}";
    }

    /// <summary>A count with narrow spaces between thousands.</summary>
    public static string Count(long count) => count.ToString("#,0").Replace(',', '\u202f');

    /// <summary>A share as a percentage.</summary>
    public static string Percent(double share) => share is > 0 and < 0.001 ? "< 0.1 %" : $"{share * 100:0.#} %";

    /// <summary>A length of time with its two largest units: <c>3 d 4 h</c>, <c>2 min 5 s</c>, <c>0.42 s</c>, <c>180 ms</c>.</summary>
    public static string Length(TimeSpan length)
    {
        var text = length.Duration() switch
        {
            { TotalSeconds: < 0.001 } tiny => $"{tiny.TotalMicroseconds:0} µs",
            { TotalSeconds: < 0.1 } small => $"{small.TotalMilliseconds:0.#} ms",
            { TotalSeconds: < 10 } seconds => $"{seconds.TotalSeconds:0.##} s",
            { TotalSeconds: < 60 } seconds => $"{Math.Floor(seconds.TotalSeconds):0} s",
            { TotalMinutes: < 60 } minutes => Two(minutes.Minutes, "min", minutes.Seconds, "s"),
            { TotalHours: < 24 } hours => Two(hours.Hours, "h", hours.Minutes, "min"),
            { TotalDays: < 365 } days => Two(days.Days, "d", days.Hours, "h"),
            var years => $"{Math.Floor(years.TotalDays):0} d",
        };
        return length < TimeSpan.Zero ? $"-{text}" : text;
    }

    /// <summary>How far a time is from now, whole seconds: <c>5 min ago</c>, <c>in 1 h 20 min</c>, <c>now</c>.</summary>
    public static string Distance(DateTimeOffset at, DateTimeOffset now)
    {
        var distance = TimeSpan.FromSeconds(Math.Round((at - now).TotalSeconds));
        if (distance.Duration() < TimeSpan.FromSeconds(2))
        {
            return "now";
        }

        // Further away than an hour nobody counts the smaller unit's last digit, and it need not change every second.
        var text = distance.Duration() switch
        {
            { TotalSeconds: < 60 } seconds => $"{seconds.Seconds} s",
            { TotalMinutes: < 60 } minutes => minutes.Minutes < 5 ? Two(minutes.Minutes, "min", minutes.Seconds, "s") : $"{minutes.Minutes} min",
            { TotalHours: < 24 } hours => Two(hours.Hours, "h", hours.Minutes, "min"),
            var days => Two(days.Days, "d", days.Hours, "h"),
        };
        return distance < TimeSpan.Zero ? $"{text} ago" : $"in {text}";
    }

    /// <summary>The time in UTC, with its day unless that is today's: <c>14:02:11 UTC</c>, <c>2 Mar 14:02 UTC</c>.</summary>
    public static string Clock(DateTimeOffset at, DateTimeOffset now)
    {
        at = at.ToUniversalTime();
        return at.Date == now.UtcDateTime.Date ? $"{at:HH:mm:ss} UTC" : at.Year == now.UtcDateTime.Year ? $"{at:d MMM HH:mm} UTC" : $"{at:d MMM yyyy HH:mm} UTC";
    }

    /// <summary>A name of code as words: <c>expired_members</c> is <c>expired members</c>.</summary>
    public static string Words(string name) => name.Replace('_', ' ').Replace('-', ' ');

    private static string Two(int large, string largeUnit, int small, string smallUnit) =>
        small == 0 ? $"{large} {largeUnit}" : $"{large} {largeUnit} {small} {smallUnit}";
}
