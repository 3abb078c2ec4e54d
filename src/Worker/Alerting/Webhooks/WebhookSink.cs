using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Maintenance.Worker.Lease;

namespace Maintenance.Worker.Alerting.Webhooks;

/// <summary>Posts notices to one address.</summary>
internal sealed class WebhookSink : IAlertSink, IDisposable
{
    /// <summary>The header of the signature.</summary>
    public const string SignatureHeader = "X-Maintenance-Signature";

    private readonly WebhookOptions options;
    private readonly AlertLinks links;
    private readonly ReplicaName replica;
    private readonly TimeProvider timeProvider;
    private readonly HttpClient http;

    public WebhookSink(string name, WebhookOptions options, AlertLinks links, ReplicaName replica, TimeProvider timeProvider)
    {
        Name = $"webhook:{name}";
        this.options = options;
        this.links = links;
        this.replica = replica;
        this.timeProvider = timeProvider;
        http = SinkHttp.Create(options.CaFile);
    }

    public string Name { get; }

    public async Task SendAsync(IReadOnlyList<AlertNotice> notices, CancellationToken cancellationToken)
    {
        var body = WebhookBody.Write(options.Format, notices, replica.Value, links);
        using var request = new HttpRequestMessage(HttpMethod.Post, options.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (!string.IsNullOrEmpty(options.BearerToken))
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", options.BearerToken);
        }

        if (!string.IsNullOrEmpty(options.SigningSecret))
        {
            request.Headers.Add(SignatureHeader, $"sha256={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(options.SigningSecret), body))}");
        }

        using var response = await http.SendAsync(request, cancellationToken);
        SinkHttp.EnsureTaken(response, timeProvider);
    }

    public void Dispose() => http.Dispose();
}
