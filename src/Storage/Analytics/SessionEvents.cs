using System.Globalization;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Analytics;

/// <summary>
/// The texts of events, <c>kind:ms:rest</c>, and what they tell: <c>L</c> log-in (<c>sid:device</c>), <c>R</c> rotation (<c>old:new</c>), <c>C</c>
/// continuation by another session (<c>old:new</c>), <c>E</c> end (<c>sid</c>), <c>A</c> end of all (<c>sid kept, or nothing</c>). Kept newest first.
/// </summary>
internal static class SessionEvents
{
    public const int MostDays = 400;
    public const string Rotated = "R";
    public const string Continued = "C";

    public static string Login(Session session) => $"{session.Id}:{session.DeviceName}";

    public static (string Kind, string Subject) End(SessionId? id, SessionId? except) => id is { } one ? ("E", one.Value) : ("A", except?.Value ?? "");

    public static string Pair(SessionId from, SessionId to) => $"{from}:{to}";

    public static string Activity(SessionId id, string action, string? detail)
    {
        ArgumentException.ThrowIfNullOrEmpty(action);
        if (id == default)
        {
            throw new ArgumentException("The default value names no session.", nameof(id));
        }

        return action.Length <= SessionActivity.MaxActionLength && !action.Contains(':', StringComparison.Ordinal)
            ? $"{action}:{(detail is null ? "" : RecordWriter.Cut(detail, SessionActivity.MaxDetailBytes))}"
            : throw new ArgumentException($"An action has 1 to {SessionActivity.MaxActionLength} characters and no colon.", nameof(action));
    }

    /// <summary>Reads <c>ms:action:detail</c>; null for what this version cannot read.</summary>
    public static SessionActivity? ReadActivity(string text) =>
        text.Split(':', 3) is [var at, var action, var detail] && Time(at) is { } time
            ? new SessionActivity(time, action, detail.Length > 0 ? detail : null)
            : null;

    public static void CheckDays(DateOnly first, DateOnly last)
    {
        if (last < first || last.DayNumber - first.DayNumber >= MostDays)
        {
            throw new ArgumentException($"From {first:O} to {last:O}: expected 1 to {MostDays} days.", nameof(last));
        }
    }

    /// <summary>The sessions that live no more. Those that ended without an event, because they expired, are known by not being among the live ones.</summary>
    public static IReadOnlyList<PastSession> Past(IEnumerable<string> newestFirst, IReadOnlyList<Session> live, int most)
    {
        var sessions = new List<PastSession>();
        // By every id that a session ever had: it may be ended by one from before a rotation.
        var known = new Dictionary<SessionId, int>();
        foreach (var text in newestFirst.Reverse())
        {
            if (text.Split(':', 4) is not [var kind, var at, var first, ..] parts || Time(at) is not { } time)
            {
                continue;
            }

            var second = parts.Length > 3 ? parts[3] : "";
            var named = SessionId.TryParse(first, out var id);
            var index = named ? known.GetValueOrDefault(id, -1) : -1;
            switch (kind)
            {
                case "L" when named:
                    known[id] = sessions.Count;
                    sessions.Add(new PastSession(id, time, null, second.Length > 0 ? second : null));
                    break;
                case Rotated when index >= 0 && SessionId.TryParse(second, out var next):
                    known[next] = index;
                    sessions[index] = sessions[index] with { Id = next };
                    break;
                case Continued when index >= 0 && SessionId.TryParse(second, out var other):
                    // What ends the old one from now on does not end this.
                    known.Remove(id);
                    known[other] = index;
                    sessions[index] = sessions[index] with { Id = other };
                    break;
                case "E" when index >= 0:
                    sessions[index] = sessions[index] with { EndedAt = sessions[index].EndedAt ?? time };
                    break;
                case "A":
                    for (var i = 0; i < sessions.Count; i++)
                    {
                        sessions[i] = sessions[i].EndedAt is null && i != index ? sessions[i] with { EndedAt = time } : sessions[i];
                    }

                    break;
                default:
                    break;
            }
        }

        var alive = live.Select(session => session.Id).ToHashSet();
        return [.. sessions.Where(session => !alive.Contains(session.Id)).OrderByDescending(session => session.StartedAt).Take(most)];
    }

    private static DateTimeOffset? Time(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds < 253_402_300_800_000
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;
}
