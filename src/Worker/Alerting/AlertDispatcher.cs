using System.Diagnostics.Metrics;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Alerting;

/// <summary>Carries what is to be told to every sink, all sinks at the same time, one message after the other.</summary>
public sealed class AlertDispatcher : BackgroundService
{
    private const string Success = "success";
    private const string Failure = "failure";

    private readonly AlertCenter center;
    private readonly IReadOnlyList<IAlertSink> sinks;
    private readonly IOptionsMonitor<AlertingOptions> options;
    private readonly TimeProvider timeProvider;
    private readonly ILogger<AlertDispatcher> logger;
    private readonly Counter<long> sent;

    /// <summary>Creates the dispatcher; the counters exist with zero from here on.</summary>
    public AlertDispatcher(
        AlertCenter center,
        IEnumerable<IAlertSink> sinks,
        IOptionsMonitor<AlertingOptions> options,
        IMeterFactory meterFactory,
        TimeProvider timeProvider,
        ILogger<AlertDispatcher> logger)
    {
        this.center = center;
        this.sinks = [.. sinks];
        this.options = options;
        this.timeProvider = timeProvider;
        this.logger = logger;
        sent = meterFactory.Create(WorkerMeter.Name).CreateCounter<long>("maintenance.alerts.sent", description: "Alerts given to a sink, by outcome.");
        foreach (var sink in this.sinks)
        {
            Count(sink, Success, 0);
            Count(sink, Failure, 0);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var notices in center.Notices.ReadAllAsync(stoppingToken))
            {
                await Task.WhenAll(sinks.Select(sink => SendAsync(sink, notices, stoppingToken)));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What is still in the queue and lasts is told by the next replica that sees it.
        }
    }

    private async Task SendAsync(IAlertSink sink, IReadOnlyList<AlertNotice> notices, CancellationToken stoppingToken)
    {
        using var timeout = new CancellationTokenSource(options.CurrentValue.SinkTimeout, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stoppingToken);
        try
        {
            await sink.SendAsync(notices, either.Token).WaitAsync(either.Token);
            Count(sink, Success, notices.Count);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Shutdown is no fault of the sink.
        }
        catch (OperationCanceledException)
        {
            Count(sink, Failure, notices.Count);
            logger.SinkFailed(sink.Name, notices.Count, $"no end within {options.CurrentValue.SinkTimeout.TotalSeconds:0.#} s (Alerting:SinkTimeout)");
        }
        catch (Exception exception)
        {
            Count(sink, Failure, notices.Count);
            logger.SinkFailed(sink.Name, notices.Count, exception.Message);
        }
    }

    private void Count(IAlertSink sink, string outcome, int alerts) =>
        sent.Add(alerts, new KeyValuePair<string, object?>("sink", sink.Name), new KeyValuePair<string, object?>("outcome", outcome));
}
