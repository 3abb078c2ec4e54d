using Maintenance.Storage.Redis;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.MemoryAlerts;

/// <summary>Compares used memory with the limit, forecasts when it is full, and tells what fills it.</summary>
public sealed class MemoryAlertsJob(
    RedisNodes nodes,
    RedisKeys keys,
    IOptionsMonitor<MemoryAlertsOptions> options,
    LatestSnapshot<MemoryAlertsSnapshot> latest,
    TimeProvider timeProvider) : IMaintenanceJob
{
    /// <inheritdoc/>
    public string Name => JobNames.MemoryAlerts;

    /// <inheritdoc/>
    public async Task RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var settings = options.CurrentValue;
        var reader = new MemoryReader(settings, keys, timeProvider);
        var found = new List<NodeMemory>();
        foreach (var node in await nodes.ListAsync(cancellationToken))
        {
            var previous = latest.Value?.Nodes.FirstOrDefault(last => last.Node == node.Name);
            // Says nothing when it connects, once a minute; when it cannot, the result says it.
            await using var connection = new RedisConnection(node.Options, timeProvider, NullLogger.Instance, "maintenance-memory");
            try
            {
                await connection.ConnectAsync(cancellationToken);
                found.Add(await reader.ReadAsync(node, connection, previous, context, cancellationToken));
            }
            catch (StorageUnavailableException exception)
            {
                context.Report.Error(exception.Message);
                // Nothing is known now; an alert that fired goes on firing, and the samples are kept for the next run.
                found.Add(new NodeMemory
                {
                    Node = node.Name,
                    RunId = previous?.RunId,
                    Warning = previous?.Warning,
                    Critical = previous?.Critical,
                    Samples = previous?.Samples ?? [],
                });
            }
        }

        foreach (var node in found.Where(node => node.Warning == true))
        {
            context.Report.Warn(Describe(node));
        }

        context.Report.Add("nodes_warning", found.Count(node => node.Warning == true));
        context.Report.Add("nodes_critical", found.Count(node => node.Critical == true));
        context.Report.SetSnapshot(new MemoryAlertsSnapshot { Nodes = found });
    }

    /// <summary>A line for a person: how full, since what, until when, and of what.</summary>
    internal static string Describe(NodeMemory node)
    {
        var text = node.Ratio is { } ratio
            ? $"{node.Node} uses {ratio * 100:0.#} % of its memory ({node.UsedBytes} of {node.LimitBytes} bytes)"
            : $"{node.Node} used too much of its memory when it last answered";
        if (node.FullAt is { } fullAt)
        {
            text += $", full at {fullAt:u} if it goes on growing by {node.GrowthBytesPerSecond:0} bytes a second";
        }

        if (node.BytesByKind is { Count: > 0 } kinds)
        {
            var most = kinds.MaxBy(pair => pair.Value);
            text += $"; most of it: {most.Key} with about {most.Value} bytes";
        }

        return text + ".";
    }
}
