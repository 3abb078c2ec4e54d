using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Alerting.Alertmanager;

/// <summary>
/// Keeps Alertmanagers informed through their v2 API, as Prometheus does: every replica tells what it knows to fire, again and again. Alertmanager makes
/// one of what is equal, so no replica is the only one to tell, and a receiver that was away knows all as soon as it is back. No job waits for it.
/// </summary>
internal sealed class AlertmanagerSender : BackgroundService
{
    /// <summary>The sink's name in metrics and logs.</summary>
    public const string Sink = "alertmanager";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly AlertCenter center;
    private readonly SinkOutcomes outcomes;
    private readonly AlertingOptions options;
    private readonly TimeProvider timeProvider;
    private readonly HttpClient http;
    private readonly AlertmanagerBook book;
    private readonly List<Uri> addresses;

    public AlertmanagerSender(AlertCenter center, SinkOutcomes outcomes, IOptions<AlertingOptions> options, TimeProvider timeProvider)
    {
        this.center = center;
        this.outcomes = outcomes;
        this.options = options.Value;
        this.timeProvider = timeProvider;
        var settings = this.options.Alertmanager;
        addresses = [.. settings.Urls.Select(url => new Uri($"{url.TrimEnd('/')}/api/v2/alerts"))];
        book = new AlertmanagerBook(settings.Labels.ToDictionary(StringComparer.Ordinal), this.options.Links);
        http = SinkHttp.Create(settings.CaFile);
        http.DefaultRequestHeaders.Authorization = settings switch
        {
            { BearerToken: { Length: > 0 } token } => new AuthenticationHeaderValue("Bearer", token),
            { User: { Length: > 0 } user } => new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{settings.Password}"))),
            _ => null,
        };
        if (addresses.Count > 0)
        {
            outcomes.Register(Sink);
        }
    }

    public override void Dispose()
    {
        http.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (addresses.Count == 0)
        {
            return;
        }

        var retry = options.RetryDelay;
        while (!stoppingToken.IsCancellationRequested)
        {
            var changed = center.Changed;
            var interval = options.Alertmanager.ResendInterval;
            if (await TellAsync(stoppingToken))
            {
                retry = options.RetryDelay;
            }
            else
            {
                interval = retry < interval ? retry : interval;
                retry = interval * 2;
            }

            await WaitAsync(changed, interval, stoppingToken);
        }
    }

    /// <summary>Tells every member once.</summary>
    /// <returns>Whether all took it.</returns>
    private async Task<bool> TellAsync(CancellationToken stoppingToken)
    {
        var alerts = book.Take(center.Lasting, timeProvider.GetUtcNow(), options.Alertmanager.ResendInterval);
        if (alerts.Count == 0)
        {
            return true;
        }

        var body = JsonSerializer.SerializeToUtf8Bytes(alerts, Json);
        var problems = await Task.WhenAll(addresses.Select(address => PostAsync(address, body, stoppingToken)));
        if (stoppingToken.IsCancellationRequested)
        {
            return true;
        }

        // One member that has them is enough: they tell each other.
        var taken = problems.Count(problem => problem is null);
        if (taken > 0)
        {
            outcomes.Took(Sink, alerts.Count);
        }

        foreach (var problem in problems.OfType<string>())
        {
            outcomes.Failed(Sink, alerts.Count, problem);
        }

        return taken == problems.Length;
    }

    private async Task<string?> PostAsync(Uri address, byte[] body, CancellationToken stoppingToken)
    {
        using var timeout = new CancellationTokenSource(options.SinkTimeout, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stoppingToken);
        try
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var response = await http.PostAsync(address, content, either.Token);
            SinkHttp.EnsureTaken(response, timeProvider);
            return null;
        }
        catch (OperationCanceledException)
        {
            return $"{address.Authority}: no end within {options.SinkTimeout.TotalSeconds:0.#} s (Alerting:SinkTimeout)";
        }
        catch (Exception exception)
        {
            return $"{address.Authority}: {SinkHttp.Describe(exception)}";
        }
    }

    private async Task WaitAsync(Task changed, TimeSpan interval, CancellationToken stoppingToken)
    {
        try
        {
            await changed.WaitAsync(interval, timeProvider, stoppingToken);
        }
        catch (TimeoutException)
        {
            // Nothing has changed; what lasts is told again.
        }
        catch (OperationCanceledException)
        {
            // The loop's condition ends it.
        }
    }
}
