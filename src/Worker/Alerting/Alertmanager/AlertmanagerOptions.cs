namespace Maintenance.Worker.Alerting.Alertmanager;

/// <summary>Where alerts go to be grouped, silenced and routed. Bound from <c>Alerting:Alertmanager</c>.</summary>
public sealed class AlertmanagerOptions
{
    /// <summary>Base addresses of every member of the cluster, without <c>/api/v2</c>. Default none: off.</summary>
    public IList<string> Urls { get; } = [];

    /// <summary>Labels on every alert, for example <c>cluster</c>. Default none.</summary>
    public IDictionary<string, string> Labels { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>What lasts is sent again after so long, for Alertmanager ends by itself what nobody sends any more, here after four times as long. Default 1 min.</summary>
    public TimeSpan ResendInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Sent as <c>Authorization: Bearer</c>. Default none.</summary>
    public string? BearerToken { get; set; }

    /// <summary>User of basic authentication. Default none.</summary>
    public string? User { get; set; }

    /// <summary>Its password.</summary>
    public string? Password { get; set; }

    /// <summary>PEM file of the authorities to trust instead of the system's. Default none.</summary>
    public string? CaFile { get; set; }
}
