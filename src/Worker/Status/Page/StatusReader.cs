using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Alerting;
using Maintenance.Worker.KeyspaceStats;
using Maintenance.Worker.Lease;
using Maintenance.Worker.MemoryAlerts;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;
using Maintenance.Worker.SessionCleanup;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using HealthStatus = Maintenance.Worker.RedisHealth.HealthStatus;

namespace Maintenance.Worker.Status.Page;

/// <summary>Puts the page's content together from what this replica already holds. It asks Redis for nothing, so the page shows also while Redis is away.</summary>
internal sealed class StatusReader(
    JobsView jobs,
    IEnumerable<JobRegistration> registrations,
    IServiceProvider provider,
    StatusWatch watch,
    AlertCenter alerts,
    SinkOutcomes sinks,
    LatestSnapshot<RedisHealthSnapshot> probes,
    LatestSnapshot<MemoryAlertsSnapshot> memory,
    LatestSnapshot<KeyspaceStatsSnapshot> keyspace,
    IOptionsMonitor<MemoryAlertsOptions> memoryOptions,
    IOptions<AlertingOptions> alerting,
    RedisConnection connection,
    IOptions<RedisOptions> redis,
    ReplicaName replica,
    TimeProvider timeProvider,
    ArchiveCleanup? archive = null)
{
    // As many as can be told apart on a phone.
    private const int PassesShown = 14;

    private static readonly string WorkerVersion =
        (typeof(StatusReader).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown").Split('+')[0];

    private readonly Dictionary<string, JobCheck> checks = registrations.ToDictionary(
        job => job.Name, job => ActivatorUtilities.CreateInstance<JobCheck>(provider, job), StringComparer.Ordinal);

    public StatusModel Read()
    {
        var shown = jobs.AllInFull().Select(view => Job(view, checks[view.Name].Check())).ToList();
        var watched = watch.Status;
        var reasons = Reasons(watched, shown).OrderByDescending(reason => reason.Status).ToList();
        var settings = memoryOptions.CurrentValue;
        return new StatusModel
        {
            Now = timeProvider.GetUtcNow(),
            Replica = replica.Value,
            WorkerVersion = WorkerVersion,
            Version = Version(),
            Status = reasons.Count == 0 ? HealthStatus.Healthy : reasons[0].Status,
            Reasons = reasons,
            Watched = watched,
            Endpoint = connection.Endpoint,
            Mode = StorageMode.Describe(probes.Value?.Nodes ?? [], redis.Value.Sentinel.Endpoints.Count > 0, archive is not null),
            Alerts = alerts.Lasting,
            Links = alerting.Value.Links,
            Sinks = sinks.All,
            Nodes = Nodes(),
            MemoryWarning = settings.Warning,
            MemoryCritical = settings.Critical,
            Passes = [.. (jobs.Find(JobNames.IndexReconciliation)?.Results ?? [])
                .Where(result => !result.DryRun && result.Outcome is JobOutcome.Success or JobOutcome.Failed)
                .Take(PassesShown)
                .Reverse()],
            Jobs = shown,
            Keyspace = keyspace.Value,
        };
    }

    /// <summary>Changes whenever something on the page does that is not only a clock.</summary>
    public string Version()
    {
        var parts = jobs.AllInFull().SelectMany(view => new[]
        {
            view.Running?.RunId, view.NextRun?.ToString("O"), view.Results.Count > 0 ? view.Results[0].RunId : null, view.Enabled.ToString(),
        });
        var firing = alerts.Lasting.Select(lasting => $"{lasting.Alert.Identity} {lasting.Alert.Severity} {lasting.Alert.Summary}");
        var all = string.Join('\n', parts.Concat(firing).Concat(sinks.All.Select(sink => sink.ToString())).Append(watch.Status.ToString()).Append(replica.Value));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)).AsSpan(0, 8));
    }

    private static JobStatus Job(JobView view, HealthCheckResult check) => new()
    {
        View = view,
        Status = check.Status switch
        {
            Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy => HealthStatus.Healthy,
            Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Degraded => HealthStatus.Degraded,
            _ => HealthStatus.Unhealthy,
        },
        Reason = check.Description ?? "",
    };

    private IEnumerable<StatusReason> Reasons(WatchedStatus watched, List<JobStatus> shown)
    {
        if (watched.Problem is { } problem)
        {
            yield return new StatusReason("Redis", HealthStatus.Unhealthy, $"This replica gets no answer: {problem}. The figures below are as they were.");
        }

        if (watched.Paused is { } pause)
        {
            yield return new StatusReason("All jobs", HealthStatus.Degraded, $"Jobs are {pause.Reason}.");
        }

        var told = false;
        foreach (var node in probes.Value?.Nodes ?? [])
        {
            foreach (var reason in node.Reasons)
            {
                told = true;
                yield return new StatusReason(node.Node, reason.Status, reason.Text, reason.See);
            }
        }

        // A probe that found something is degraded for the reasons above.
        foreach (var job in shown.Where(job => job.Status != HealthStatus.Healthy && !(told && job.View.Name == JobNames.RedisHealth && job.Last is { Outcome: JobOutcome.Success })))
        {
            yield return new StatusReason(job.View.Name, job.Status, job.Reason);
        }
    }

    private List<NodeStatus> Nodes()
    {
        var health = probes.Value?.Nodes ?? [];
        var used = memory.Value?.Nodes ?? [];
        return [.. health.Select(node => node.Node).Union(used.Select(node => node.Node), StringComparer.Ordinal).Select(name => new NodeStatus(
            name, health.FirstOrDefault(node => node.Node == name), used.FirstOrDefault(node => node.Node == name)))];
    }
}
