namespace Maintenance.Worker.Alerting;

/// <summary>How urgent an alert is.</summary>
public enum AlertSeverity
{
    /// <summary>Look at it today.</summary>
    Warning,

    /// <summary>Look at it now.</summary>
    Critical,
}

/// <summary>Something that is wrong. Name and labels are its identity; the rest may change while it lasts.</summary>
/// <param name="Name">Stable, snake case, for example <c>redis_health</c>.</param>
/// <param name="Labels">What it is about, for example <c>node</c>; a closed set, no user or session.</param>
/// <param name="Severity">How urgent; a change is told at once.</param>
/// <param name="Summary">One or two sentences for a person, with figures and where to look.</param>
/// <param name="Runbook">What to do about it: one of <see cref="AlertRunbooks"/>.</param>
public sealed record Alert(string Name, IReadOnlyDictionary<string, string> Labels, AlertSeverity Severity, string Summary, string Runbook)
{
    /// <summary>Name and labels as one text, the same for the same alert on every replica: <c>redis_health{node="redis:6379"}</c>.</summary>
    public string Identity => $"{Name}{{{string.Join(',', Labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}=\"{label.Value}\""))}}}";

    /// <summary>An alert with one label.</summary>
    public static Alert Of(string name, string label, string value, AlertSeverity severity, string summary, string runbook) =>
        new(name, new Dictionary<string, string>(StringComparer.Ordinal) { [label] = value }, severity, summary, runbook);
}

/// <summary>Why something is sent.</summary>
public enum AlertState
{
    /// <summary>It has begun, has become more or less severe, or still lasts after the repeat interval.</summary>
    Firing,

    /// <summary>It is over.</summary>
    Resolved,
}

/// <summary>What a sink is given.</summary>
/// <param name="Alert">The alert, as it was last seen.</param>
/// <param name="State">Firing or resolved.</param>
/// <param name="Since">When it began.</param>
/// <param name="At">When this was seen.</param>
/// <param name="Repeated">Whether it was told before and nothing has changed.</param>
public sealed record AlertNotice(Alert Alert, AlertState State, DateTimeOffset Since, DateTimeOffset At, bool Repeated);

/// <summary>An alert that fires now.</summary>
/// <param name="Alert">The alert, as it was last seen.</param>
/// <param name="Since">When it began.</param>
public sealed record LastingAlert(Alert Alert, DateTimeOffset Since);
