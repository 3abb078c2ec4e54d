using System.Text.Json;
using System.Text.Json.Nodes;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Alerting.Webhooks;

/// <summary>Notices as a webhook's receiver reads them.</summary>
internal static class WebhookBody
{
    private const string Red = "#ad2f2a";
    private const string Amber = "#c98a00";
    private const string Green = "#23714d";

    /// <summary>The body in UTF-8.</summary>
    public static byte[] Write(WebhookFormat format, IReadOnlyList<AlertNotice> notices, string replica, AlertLinks links) =>
        JsonSerializer.SerializeToUtf8Bytes<object>(format == WebhookFormat.Slack ? Slack(notices, links) : Json(notices, replica, links), JobResultJson.Options);

    private static object Json(IReadOnlyList<AlertNotice> notices, string replica, AlertLinks links) => new
    {
        Version = 1,
        Source = "maintenance",
        Replica = replica,
        Page = links.Page?.AbsoluteUri,
        Alerts = notices.Select(notice => new
        {
            Status = notice.State.ToString().ToLowerInvariant(),
            notice.Alert.Identity,
            notice.Alert.Name,
            Severity = notice.Alert.Severity.ToString().ToLowerInvariant(),
            notice.Alert.Labels,
            notice.Alert.Summary,
            RunbookUrl = links.Runbook(notice.Alert),
            notice.Since,
            notice.At,
            notice.Repeated,
        }),
    };

    private static JsonObject Slack(IReadOnlyList<AlertNotice> notices, AlertLinks links)
    {
        var title = notices.Count == 1 ? Title(notices[0]) : $"{notices.Count} alerts: {string.Join("; ", notices.Select(Title))}";
        return new JsonObject
        {
            // What a phone shows of it, and all that receivers without attachments show.
            ["text"] = Escape(links.Page is null ? title : $"{title} - {links.Page.AbsoluteUri}"),
            ["attachments"] = new JsonArray([.. notices.Select(notice => (JsonNode)new JsonObject
            {
                ["fallback"] = Escape($"{Title(notice)}: {notice.Alert.Summary}"),
                ["color"] = notice.State == AlertState.Resolved ? Green : notice.Alert.Severity == AlertSeverity.Critical ? Red : Amber,
                ["title"] = Escape(notice.Alert.Identity),
                ["text"] = Text(notice.Alert, links.Runbook(notice.Alert)),
                ["footer"] = Escape($"since {notice.Since:u}"),
                ["ts"] = notice.At.ToUnixTimeSeconds(),
            })]),
        };
    }

    // A link in angle brackets is one everywhere; what stands beside an address there, not every receiver understands.
    private static string Text(Alert alert, string? runbook) => runbook is null ? Escape(alert.Summary) : $"{Escape(alert.Summary)}\nRunbook: <{Escape(runbook)}>";

    private static string Title(AlertNotice notice) => notice.State == AlertState.Resolved
        ? $"Resolved: {notice.Alert.Name} ({Subject(notice)})"
        : $"{notice.Alert.Severity}{(notice.Repeated ? ", still" : "")}: {notice.Alert.Name} ({Subject(notice)})";

    private static string Subject(AlertNotice notice) => string.Join(", ", notice.Alert.Labels.Values);

    // The three characters with which Slack begins links and mentions.
    private static string Escape(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
}
