using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Maintenance.Worker.Alerting.Alertmanager;
using Maintenance.Worker.Alerting.Webhooks;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Alerting;

/// <summary>Refuses values with which alerts would flood or never leave. An address is never repeated: it may hold a token.</summary>
internal sealed partial class AlertingOptionsValidator : IValidateOptions<AlertingOptions>
{
    private const int ShortestSecret = 16;
    private const string Address = "expected an absolute http or https address without user, password and fragment";

    public ValidateOptionsResult Validate(string? name, AlertingOptions options)
    {
        List<string> errors = [];
        if (options.RepeatInterval < TimeSpan.FromMinutes(1))
        {
            errors.Add($"Alerting:RepeatInterval is {options.RepeatInterval}; expected a minute or more.");
        }

        if (options.DriftAbove < 0)
        {
            errors.Add($"Alerting:DriftAbove is {options.DriftAbove}; expected 0 or more.");
        }

        if (options.SinkTimeout <= TimeSpan.Zero || options.SinkTimeout > TimeSpan.FromMinutes(5))
        {
            errors.Add($"Alerting:SinkTimeout is {options.SinkTimeout}; expected more than 0 and at most 5 minutes.");
        }

        if (options.RetryDelay < TimeSpan.FromMilliseconds(10) || options.RetryDelay > TimeSpan.FromMinutes(1))
        {
            errors.Add($"Alerting:RetryDelay is {options.RetryDelay}; expected 10 ms to 1 minute.");
        }

        if (!string.IsNullOrEmpty(options.PageUrl) && !SinkHttp.IsAddress(options.PageUrl))
        {
            errors.Add($"Alerting:PageUrl: {Address}.");
        }

        if (!string.IsNullOrEmpty(options.RunbooksUrl) && (!SinkHttp.IsAddress(options.RunbooksUrl) || options.RunbooksUrl.Contains('?', StringComparison.Ordinal)))
        {
            errors.Add($"Alerting:RunbooksUrl: {Address}, and without a query: names of files follow.");
        }

        foreach (var (key, webhook) in options.Webhooks)
        {
            errors.AddRange(Webhook(key, webhook));
        }

        errors.AddRange(Alertmanager(options.Alertmanager));
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static IEnumerable<string> Webhook(string key, WebhookOptions webhook)
    {
        var setting = $"Alerting:Webhooks:{key}";
        if (!WebhookName().IsMatch(key))
        {
            yield return $"{setting}: the name is a metric label; expected up to 32 letters, digits and dashes.";
        }

        if (string.IsNullOrEmpty(webhook.Url))
        {
            yield return $"{setting}:Url is not set.";
        }
        else if (!SinkHttp.IsAddress(webhook.Url))
        {
            yield return $"{setting}:Url: {Address}; for a token there is {setting}:BearerToken.";
        }

        if (!Enum.IsDefined(webhook.Format))
        {
            yield return $"{setting}:Format is {webhook.Format}; expected Json or Slack.";
        }

        if (webhook.SigningSecret is { Length: > 0 and < ShortestSecret })
        {
            yield return $"{setting}:SigningSecret has {webhook.SigningSecret.Length} characters; expected at least {ShortestSecret}.";
        }

        if (Authorities(webhook.CaFile) is { } problem)
        {
            yield return $"{setting}:CaFile: {problem}";
        }
    }

    private static IEnumerable<string> Alertmanager(AlertmanagerOptions alertmanager)
    {
        const string Setting = "Alerting:Alertmanager";
        for (var i = 0; i < alertmanager.Urls.Count; i++)
        {
            if (!SinkHttp.IsAddress(alertmanager.Urls[i]))
            {
                yield return $"{Setting}:Urls:{i}: {Address}.";
            }
        }

        foreach (var label in alertmanager.Labels.Keys.Where(label => !LabelName().IsMatch(label) || label is "alertname" or "severity"))
        {
            yield return $"{Setting}:Labels:{label}: expected the name of a label, and not alertname or severity, which are the alert's.";
        }

        if (alertmanager.ResendInterval < TimeSpan.FromSeconds(1) || alertmanager.ResendInterval > TimeSpan.FromHours(1))
        {
            yield return $"{Setting}:ResendInterval is {alertmanager.ResendInterval}; expected 1 second to 1 hour.";
        }

        if (string.IsNullOrEmpty(alertmanager.User) != string.IsNullOrEmpty(alertmanager.Password))
        {
            yield return $"{Setting}:User and {Setting}:Password belong together; one of them is not set.";
        }

        if (!string.IsNullOrEmpty(alertmanager.BearerToken) && !string.IsNullOrEmpty(alertmanager.User))
        {
            yield return $"{Setting}:BearerToken and {Setting}:User are both set; only one of them can be sent.";
        }

        if (Authorities(alertmanager.CaFile) is { } problem)
        {
            yield return $"{Setting}:CaFile: {problem}";
        }
    }

    /// <summary>What is wrong with a file of authorities; null if nothing is, or there is none.</summary>
    private static string? Authorities(string? file)
    {
        if (string.IsNullOrEmpty(file))
        {
            return null;
        }

        try
        {
            var found = new X509Certificate2Collection();
            found.ImportFromPemFile(file);
            return found.Count > 0 ? null : $"'{file}' holds no certificate.";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return exception.Message;
        }
    }

    [GeneratedRegex("^[A-Za-z0-9-]{1,32}$", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex WebhookName();

    [GeneratedRegex("^[a-zA-Z_][a-zA-Z0-9_]*$", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex LabelName();
}
