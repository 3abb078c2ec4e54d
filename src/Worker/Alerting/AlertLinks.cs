namespace Maintenance.Worker.Alerting;

/// <summary>Where an alert leads a person: to the status page, and to what is to be done.</summary>
/// <param name="Page">The status page; null: no link.</param>
/// <param name="Runbooks">What every runbook's address begins with; null: no link.</param>
public sealed record AlertLinks(Uri? Page, Uri? Runbooks)
{
    /// <summary>Begins the addresses of a configuration that does not say where people read the runbooks; it leads nowhere.</summary>
    public const string PlaceholderRunbooks = "https://example.com/maintenance/docs/runbooks";

    /// <summary>The runbook's address if it leads somewhere; null otherwise.</summary>
    public string? RealRunbook(Alert alert) =>
        Runbooks is null || Runbooks.AbsoluteUri.TrimEnd('/') == PlaceholderRunbooks ? null : Runbook(alert);

    /// <summary>The runbook's file, for people whose configuration does not say where they read it.</summary>
    public static string RunbookFile(Alert alert) => $"docs/runbooks/{alert.Runbook}.md";

    /// <summary>The runbook's address; null without links.</summary>
    public string? Runbook(Alert alert) => Runbooks is null ? null : $"{Runbooks.AbsoluteUri.TrimEnd('/')}/{alert.Runbook}.md";
}
