using System.CommandLine;
using System.Text.Json;
using Maintenance.Worker.Hosting;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;
using Maintenance.Worker.Status;

namespace Maintenance.Worker.Cli;

/// <summary><c>check</c>: one probe of Redis, without lease or record.</summary>
internal static class CheckVerb
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print the result as one JSON document" };
        var command = new Command("check", "Probe Redis once. Exit 0 healthy, 1 degraded, 2 unhealthy or wrong usage.") { json };
        command.SetAction((parsed, cancellationToken) => CheckAsync(parsed.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> CheckAsync(bool json, CancellationToken cancellationToken)
    {
        using var host = WorkerHost.BuildTool();
        WorkerHost.CheckSettings(host.Services);
        var result = await host.Services.GetRequiredService<JobRunner>().ProbeAsync(JobNames.RedisHealth, cancellationToken);
        // A probe that could not even be made is no healthy Redis.
        var probe = ProbeStatus.Read(result) ?? new ProbeStatus(HealthStatus.Unhealthy, result.Errors);
        if (json)
        {
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(
                new { Status = probe.Text, probe.Reasons, result.Unavailable, result.DurationSeconds, result.Snapshot }, JobResultJson.Options));
        }
        else
        {
            await Console.Out.WriteLineAsync(probe.Text);
            foreach (var line in probe.Reasons)
            {
                await Console.Out.WriteLineAsync($"  {line}");
            }
        }

        return probe.Status switch
        {
            HealthStatus.Healthy => ExitCodes.Done,
            HealthStatus.Degraded => ExitCodes.Degraded,
            _ => ExitCodes.Unhealthy,
        };
    }
}
