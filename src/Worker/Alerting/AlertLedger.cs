namespace Maintenance.Worker.Alerting;

/// <summary>
/// Which alerts fire, and when each was last told. It is made only of what rules read from results, so every replica keeps the same one, and a restarted
/// replica has it again with the last results: an alert is not told anew because a process started. Not safe for several threads.
/// </summary>
public sealed class AlertLedger
{
    private readonly Dictionary<(string Source, string Identity), Entry> entries = [];

    /// <summary>What fires now.</summary>
    public IReadOnlyList<Alert> Firing => [.. entries.Values.Select(entry => entry.Alert)];

    /// <summary>What fires now, the most urgent and the oldest first.</summary>
    public IReadOnlyList<LastingAlert> Lasting =>
        [.. entries.Values.Select(entry => new LastingAlert(entry.Alert, entry.Since)).OrderByDescending(lasting => lasting.Alert.Severity).ThenBy(lasting => lasting.Since)];

    /// <summary>Takes what a source found and returns what is to be told.</summary>
    /// <param name="source">Rule and job. What it found before and does not find now is over.</param>
    /// <param name="found">What is wrong.</param>
    /// <param name="at">When that was.</param>
    /// <param name="repeatInterval">An alert that lasts is told again after so long.</param>
    public IReadOnlyList<AlertNotice> Take(string source, IReadOnlyList<Alert> found, DateTimeOffset at, TimeSpan repeatInterval)
    {
        List<AlertNotice> notices = [];
        foreach (var (key, entry) in entries.Where(pair => pair.Key.Source == source && found.All(alert => alert.Identity != pair.Key.Identity)).ToList())
        {
            entries.Remove(key);
            notices.Add(new AlertNotice(entry.Alert, AlertState.Resolved, entry.Since, at, Repeated: false));
        }

        foreach (var alert in found)
        {
            var key = (source, alert.Identity);
            var known = entries.TryGetValue(key, out var entry);
            var changed = !known || entry!.Alert.Severity != alert.Severity;
            var since = known ? entry!.Since : at;
            if (changed || at - entry!.ToldAt >= repeatInterval)
            {
                entries[key] = new Entry(alert, since, at);
                notices.Add(new AlertNotice(alert, AlertState.Firing, since, at, Repeated: !changed));
            }
            else
            {
                entries[key] = entry with { Alert = alert };
            }
        }

        return notices;
    }

    private sealed record Entry(Alert Alert, DateTimeOffset Since, DateTimeOffset ToldAt);
}
