namespace Maintenance.Worker.Alerting;

/// <summary>Where an alert leads a person: to the status page, and to what is to be done.</summary>
/// <param name="Page">The status page; null: no link.</param>
/// <param name="Runbooks">What every runbook's address begins with; null: no link.</param>
internal sealed record AlertLinks(Uri? Page, Uri? Runbooks)
{
    /// <summary>The runbook's address; null without links.</summary>
    public string? Runbook(Alert alert) => Runbooks is null ? null : $"{Runbooks.AbsoluteUri.TrimEnd('/')}/{alert.Runbook}.md";
}
