using System.Net;
using System.Text.Json;
using Maintenance.Storage.RateLimiting;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.RateLimits;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.SignIn;

/// <summary>When a log-in must prove that a person makes it. Bound from <c>Captcha</c>; off without a URL.</summary>
internal sealed class CaptchaOptions
{
    public const string Section = "Captcha";

    /// <summary>Address that checks an answer as Turnstile, hCaptcha and reCAPTCHA do: form fields <c>secret</c>, <c>response</c>, <c>remoteip</c>; JSON with <c>success</c>.</summary>
    public string? VerifyUrl { get; set; }

    public string? Secret { get; set; }

    /// <summary>Failed log-ins of an account after which an answer is needed. 1 to 100, and fewer than <c>login-account</c> and <c>login-device</c> let through; default 3.</summary>
    public int AfterFailures { get; set; } = 3;

    /// <summary>Longest wait for the service. 100 ms to 30 s; default 3 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(3);
}

internal sealed class CaptchaOptionsValidator(IOptions<RateLimitOptions> limits) : IValidateOptions<CaptchaOptions>
{
    public ValidateOptionsResult Validate(string? name, CaptchaOptions options)
    {
        var failures = new SettingFailures(CaptchaOptions.Section);
        failures.Check(
            string.IsNullOrEmpty(options.VerifyUrl) || (Uri.TryCreate(options.VerifyUrl, UriKind.Absolute, out var url) && IsSafe(url)),
            "VerifyUrl",
            $"is '{options.VerifyUrl}'; expected an https URL, since the secret is sent there (http only to this machine)");
        foreach (var policy in (string[])[Limits.LoginAccount, Limits.LoginDevice])
        {
            // Otherwise nobody would ever be asked: the limit refuses before.
            var most = limits.Value.Policies.TryGetValue(policy, out var limit) ? limit.Burst ?? limit.Permits : int.MaxValue;
            failures.Check(
                string.IsNullOrEmpty(options.VerifyUrl) || options.AfterFailures < most,
                "AfterFailures",
                $"is {options.AfterFailures}, but {RateLimitOptions.Section}:{policy} lets only {most} failures through; expected fewer");
        }

        failures.Check(string.IsNullOrEmpty(options.VerifyUrl) || !string.IsNullOrEmpty(options.Secret), "Secret", "is not set, but Captcha:VerifyUrl is");
        failures.Check(options.AfterFailures is >= 1 and <= 100, "AfterFailures", $"is {options.AfterFailures}; expected 1 to 100");
        failures.Check(options.Timeout >= TimeSpan.FromMilliseconds(100) && options.Timeout <= TimeSpan.FromSeconds(30), "Timeout", $"is {options.Timeout}; expected 100 ms to 30 s");
        return failures.Result;
    }

    private static bool IsSafe(Uri url) => url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback);
}

/// <summary>Decides whether a person answered. Replace it in the container for a check of one's own.</summary>
internal interface ICaptchaCheck
{
    /// <summary>Whether answers are asked for at all.</summary>
    bool IsEnabled { get; }

    /// <summary>Whether the answer is right. A service that cannot be asked is a no: this is asked only after failures.</summary>
    Task<bool> IsPersonAsync(string? answer, IPAddress? address, CancellationToken cancellationToken);
}

/// <summary>Asks the configured service. Whatever it answers but a plain yes is a no.</summary>
internal sealed class HttpCaptchaCheck(IHttpClientFactory clients, IOptionsMonitor<CaptchaOptions> options, ILogger<HttpCaptchaCheck> logger) : ICaptchaCheck
{
    private const string Client = "captcha";
    private const int MaxAnswerBytes = 64 * 1024;

    public bool IsEnabled => !string.IsNullOrEmpty(options.CurrentValue.VerifyUrl);

    public async Task<bool> IsPersonAsync(string? answer, IPAddress? address, CancellationToken cancellationToken)
    {
        var settings = options.CurrentValue;
        if (string.IsNullOrEmpty(answer))
        {
            return false;
        }

        try
        {
            using var client = clients.CreateClient(Client);
            client.Timeout = settings.Timeout;
            client.MaxResponseContentBufferSize = MaxAnswerBytes;
            using var form = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["secret"] = settings.Secret!,
                ["response"] = answer,
                ["remoteip"] = address?.ToString() ?? "",
            });
            using var response = await client.PostAsync(new Uri(settings.VerifyUrl!), form, cancellationToken);
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            using var json = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
            return response.IsSuccessStatusCode
                && json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("success", out var success)
                && success.ValueKind == JsonValueKind.True;
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            logger.CaptchaNotChecked(exception.GetType().Name);
            return false;
        }
    }

    public static IServiceCollection Add(IServiceCollection services)
    {
        services.AddSettings<CaptchaOptions, CaptchaOptionsValidator>(CaptchaOptions.Section);
        // A redirect would take the secret along.
        services.AddHttpClient(Client).ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        return services.AddSingleton<ICaptchaCheck, HttpCaptchaCheck>();
    }
}
