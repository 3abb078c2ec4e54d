namespace Maintenance.Worker.Alerting.Alertmanager;

/// <summary>An alert as Alertmanager takes it.</summary>
internal sealed record PostableAlert(
    IReadOnlyDictionary<string, string> Labels, IReadOnlyDictionary<string, string> Annotations, DateTimeOffset StartsAt, DateTimeOffset EndsAt, string? GeneratorURL);

/// <summary>
/// What Alertmanager is told: all that lasts, each time, and what has ended for a while longer, in case it was away. Its labels are an alert's identity
/// there, severity among them, so a change of severity is an end and a beginning. Not safe for several threads.
/// </summary>
internal sealed class AlertmanagerBook(IReadOnlyDictionary<string, string> labels, AlertLinks links)
{
    // As long as Prometheus goes on telling of an end.
    private static readonly TimeSpan EndsAreTold = TimeSpan.FromMinutes(15);

    // Three messages in a row may get lost.
    private const int IntervalsUntilEnd = 4;

    private readonly Dictionary<string, (LastingAlert Alert, DateTimeOffset EndedAt)> ended = new(StringComparer.Ordinal);
    private Dictionary<string, LastingAlert> lasting = new(StringComparer.Ordinal);

    /// <summary>Takes what fires now, and returns what is to be posted; empty if there is nothing to tell.</summary>
    public IReadOnlyList<PostableAlert> Take(IReadOnlyList<LastingAlert> firing, DateTimeOffset now, TimeSpan resendInterval)
    {
        var current = firing.DistinctBy(Key).ToDictionary(Key, StringComparer.Ordinal);
        foreach (var (key, alert) in lasting.Where(pair => !current.ContainsKey(pair.Key)))
        {
            ended[key] = (alert, now);
        }

        foreach (var key in ended.Where(pair => current.ContainsKey(pair.Key) || now - pair.Value.EndedAt > EndsAreTold).Select(pair => pair.Key).ToList())
        {
            ended.Remove(key);
        }

        lasting = current;
        return
        [
            .. current.Values.Select(alert => Post(alert, now + (resendInterval * IntervalsUntilEnd))),
            .. ended.Values.Select(end => Post(end.Alert, end.EndedAt)),
        ];
    }

    private static string Key(LastingAlert lasting) => $"{lasting.Alert.Identity} {lasting.Alert.Severity}";

    private PostableAlert Post(LastingAlert lasting, DateTimeOffset endsAt)
    {
        var alert = lasting.Alert;
        var all = new Dictionary<string, string>(labels, StringComparer.Ordinal);
        foreach (var (name, value) in alert.Labels)
        {
            all[name] = value;
        }

        all["alertname"] = alert.Name;
        all["severity"] = alert.Severity.ToString().ToLowerInvariant();
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal) { ["summary"] = alert.Summary };
        if (links.Runbook(alert) is { } runbook)
        {
            // The name that the rules of Prometheus use, so that one template shows both.
            annotations["runbook_url"] = runbook;
        }

        return new PostableAlert(all, annotations, lasting.Since, endsAt, links.Page?.AbsoluteUri);
    }
}
