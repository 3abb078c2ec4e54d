using System.Diagnostics;
using OpenTelemetry;

namespace Maintenance.Tracing;

/// <summary>
/// Takes out of spans what may hold a secret: a query (codes and states of sign-ins), and the text of an exception (frameworks quote their input). The
/// sources of the product write no such thing; those of frameworks do.
/// </summary>
internal sealed class SecretsRemoved : BaseProcessor<Activity>
{
    private static readonly string[] Names = ["url.query", "url.full", "http.url", "http.target", "exception.message", "exception.stacktrace"];

    public override void OnEnd(Activity data)
    {
        foreach (var name in Names)
        {
            if (data.GetTagItem(name) is not null)
            {
                data.SetTag(name, null);
            }
        }

        if (data.StatusDescription is not null)
        {
            data.SetStatus(data.Status);
        }

        // Events cannot be changed; one that quotes an exception keeps the whole span from being sent.
        if (data.Events.Any(happened => happened.Tags.Any(tag => tag.Key is "exception.message" or "exception.stacktrace")))
        {
            data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }
    }
}
