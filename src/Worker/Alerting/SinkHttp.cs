using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Maintenance.Worker.Alerting;

/// <summary>
/// HTTP as sinks speak it: certificates are verified, redirects are not followed (an alert would go where nobody configured it), nothing is kept, and
/// no address is ever logged, because the address of a webhook is its secret.
/// </summary>
internal static class SinkHttp
{
    private const long MostAnswerBytes = 64 * 1024;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    // A name may point elsewhere tomorrow.
    private static readonly TimeSpan ConnectionLife = TimeSpan.FromMinutes(5);

    /// <summary>A client. Not of the client factory, which would log addresses. Its user ends each call in time.</summary>
    /// <param name="caFile">PEM file of the authorities to trust instead of the system's; null: the system's.</param>
    public static HttpClient Create(string? caFile)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionLifetime = ConnectionLife,
            ActivityHeadersPropagator = null,
        };
        if (!string.IsNullOrEmpty(caFile))
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile(caFile);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MostAnswerBytes };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("Maintenance", null));
        return client;
    }

    /// <summary>Returns if the receiver took it.</summary>
    /// <exception cref="SinkUnavailableException">It may take it later.</exception>
    /// <exception cref="SinkRefusedException">It never will.</exception>
    public static void EnsureTaken(HttpResponseMessage response, TimeProvider timeProvider)
    {
        var code = (int)response.StatusCode;
        switch (code)
        {
            case >= 200 and < 300:
                return;
            case >= 300 and < 400:
                throw new SinkRefusedException($"answered {code}, a redirect, which is not followed; configure the address that it leads to");
            case 408 or 425 or 429 or >= 500:
                var asked = response.Headers.RetryAfter;
                throw new SinkUnavailableException($"answered {code}", asked?.Delta ?? asked?.Date - timeProvider.GetUtcNow());
            default:
                throw new SinkRefusedException($"answered {code}");
        }
    }

    /// <summary>What went wrong, in words that hold no part of an address but host and port.</summary>
    public static string Describe(Exception exception) => exception switch
    {
        HttpRequestException { InnerException: AuthenticationException inner } => $"TLS: {inner.Message}",
        HttpRequestException { InnerException: { } inner } request => $"{request.HttpRequestError}: {inner.Message}",
        _ => exception.Message,
    };

    /// <summary>Whether it is an address that can be used: absolute, http or https, without user information and fragment.</summary>
    public static bool IsAddress(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
        && uri.UserInfo.Length == 0
        && uri.Fragment.Length == 0;
}
