using System.Globalization;
using StackExchange.Redis;

namespace Maintenance.Worker.RedisHealth;

/// <summary>Reads SLOWLOG GET.</summary>
internal static class SlowLog
{
    /// <summary>Entries are [id, time, microseconds, [command, arguments...], ...], newest first; those of another shape are passed over.</summary>
    public static SlowLogFigures Read(RedisResult[] entries, SlowLogFigures? previous)
    {
        var figures = new SlowLogFigures { LastId = -1 };
        foreach (var entry in entries)
        {
            if ((RedisResult[]?)entry is not [var first, _, var microseconds, var command, ..]
                || !long.TryParse((string?)first, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                || !long.TryParse((string?)microseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var duration))
            {
                continue;
            }

            figures = figures with { LastId = Math.Max(figures.LastId, id) };
            if (previous is not null && id > previous.LastId && duration / 1e6 > (figures.SlowestSeconds ?? -1))
            {
                figures = figures with { SlowestSeconds = duration / 1e6, SlowestCommand = (RedisResult[]?)command is [var name, ..] ? (string?)name : null };
            }
        }

        // Somebody's SLOWLOG RESET empties the list and leaves the numbering alone.
        var last = Math.Max(figures.LastId, previous?.LastId ?? -1);
        return figures with { LastId = last, NewEntries = previous is null ? null : last - previous.LastId };
    }
}
