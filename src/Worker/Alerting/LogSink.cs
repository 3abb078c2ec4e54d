using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Alerting;

/// <summary>Alerts as log lines: critical ones as errors, warnings as warnings, ends as information.</summary>
internal sealed class LogSink(IOptions<AlertingOptions> options, ILogger<LogSink> logger) : IAlertSink
{
    private readonly AlertLinks links = options.Value.Links;

    public string Name => "log";

    public Task SendAsync(IReadOnlyList<AlertNotice> notices, CancellationToken cancellationToken)
    {
        foreach (var notice in notices)
        {
            var alert = notice.Alert;
            if (notice.State == AlertState.Resolved)
            {
                logger.AlertResolved(alert.Identity, notice.Since, alert.Summary);
            }
            else
            {
                logger.AlertFiring(
                    alert.Severity == AlertSeverity.Critical ? LogLevel.Error : LogLevel.Warning,
                    alert.Identity, alert.Severity, notice.Since, notice.Repeated, alert.Summary, links.RealRunbook(alert) ?? AlertLinks.RunbookFile(alert));
            }
        }

        return Task.CompletedTask;
    }
}
