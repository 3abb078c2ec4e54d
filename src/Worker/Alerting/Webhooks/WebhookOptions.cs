namespace Maintenance.Worker.Alerting.Webhooks;

/// <summary>What a webhook's receiver understands.</summary>
public enum WebhookFormat
{
    /// <summary>Our own JSON, with everything that is known.</summary>
    Json,

    /// <summary>What Slack's incoming webhooks take, and Mattermost's, Rocket.Chat's and Discord's (<c>/slack</c>) with them.</summary>
    Slack,
}

/// <summary>One webhook. Bound from <c>Alerting:Webhooks:&lt;name&gt;</c>.</summary>
public sealed class WebhookOptions
{
    /// <summary>Address to post to. Taken for a secret: it is never logged.</summary>
    public string Url { get; set; } = "";

    /// <summary>What the receiver understands. Default our own JSON.</summary>
    public WebhookFormat Format { get; set; } = WebhookFormat.Json;

    /// <summary>Sent as <c>Authorization: Bearer</c>. Default none.</summary>
    public string? BearerToken { get; set; }

    /// <summary>Key of the signature <c>X-Maintenance-Signature: sha256=&lt;hex&gt;</c> (HMAC-SHA256 of the body). Default none: not signed.</summary>
    public string? SigningSecret { get; set; }

    /// <summary>PEM file of the authorities to trust instead of the system's. Default none.</summary>
    public string? CaFile { get; set; }
}
