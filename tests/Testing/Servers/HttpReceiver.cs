using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Maintenance.Testing;

/// <summary>A request that was received.</summary>
/// <param name="Target">Path and query.</param>
/// <param name="Headers">Headers by name, in any case.</param>
/// <param name="Body">The body.</param>
public sealed record ReceivedRequest(string Target, IReadOnlyDictionary<string, string> Headers, string Body);

/// <summary>An HTTP server in this process that keeps what it is sent and answers what the test wants.</summary>
public sealed class HttpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly X509Certificate2? _certificate;
    private readonly ConcurrentQueue<ReceivedRequest> _requests = [];

    private HttpReceiver(WebApplication app, Uri address, X509Certificate2? certificate)
    {
        _app = app;
        _certificate = certificate;
        Address = address;
    }

    /// <summary>Base address, on loopback.</summary>
    public Uri Address { get; }

    /// <summary>Everything that was received, in order.</summary>
    public IReadOnlyList<ReceivedRequest> Requests => [.. _requests];

    /// <summary>The answer to each request. Default 200.</summary>
    public Func<ReceivedRequest, HttpContext, Task> Answer { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Of a server with TLS: the PEM of its certificate, which nobody trusts.</summary>
    public string CertificatePem => _certificate!.ExportCertificatePem();

    /// <summary>Starts one.</summary>
    /// <param name="tls">With a certificate of its own making for 127.0.0.1.</param>
    public static async Task<HttpReceiver> StartAsync(bool tls = false)
    {
        var certificate = tls ? Certificate() : null;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        var port = FreePort.Next();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        var app = builder.Build();
        var receiver = new HttpReceiver(app, new Uri($"{(tls ? "https" : "http")}://127.0.0.1:{port}/"), certificate);
        app.Run(receiver.TakeAsync);
        await app.StartAsync();
        return receiver;
    }

    /// <summary>Stops it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _certificate?.Dispose();
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var request = new ReceivedRequest(
            $"{context.Request.Path}{context.Request.QueryString}",
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            await reader.ReadToEndAsync(context.RequestAborted));
        _requests.Enqueue(request);
        await Answer(request, context);
    }

    internal static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
