using Maintenance.Worker.Alerting.Alertmanager;
using Maintenance.Worker.Alerting.Webhooks;

namespace Maintenance.Worker.Alerting;

/// <summary>When alerts are sent. Bound from <c>Alerting</c>.</summary>
public sealed class AlertingOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Alerting";

    /// <summary>An alert that lasts is sent again after so long. Default 4 h.</summary>
    public TimeSpan RepeatInterval { get; set; } = TimeSpan.FromHours(4);

    /// <summary>A reconciliation that finds more drift than this is an alert: something writes past the store. Default 1,000 members.</summary>
    public long DriftAbove { get; set; } = 1000;

    /// <summary>Longest time a sink may take for one message. Default 10 s.</summary>
    public TimeSpan SinkTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What a sink did not take is sent again after so long, then after twice as long and so on up to a minute. Default 5 s.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Address of the status page as people reach it, for the links in alerts. Default none: no links.</summary>
    public string? PageUrl { get; set; }

    /// <summary>
    /// Where people read docs/runbooks: what every alert's link to its runbook begins with. Default what deploy/prometheus/rules.yaml begins its own with
    /// too, a place that is to be replaced; until then the status page and the log name the file. Empty: no such links.
    /// </summary>
    public string? RunbooksUrl { get; set; } = AlertLinks.PlaceholderRunbooks;

    /// <summary>Webhooks by name.</summary>
    public IDictionary<string, WebhookOptions> Webhooks { get; } = new Dictionary<string, WebhookOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Alertmanager.</summary>
    public AlertmanagerOptions Alertmanager { get; set; } = new();

    /// <summary>What both addresses make of an alert.</summary>
    internal AlertLinks Links => new(Address(PageUrl), Address(RunbooksUrl));

    private static Uri? Address(string? url) => string.IsNullOrEmpty(url) ? null : new Uri(url);
}
