using System.CommandLine;
using System.Text.Json;
using Maintenance.Worker.Hosting;
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
        var probe = ProbeStatus.Read(result) ?? new ProbeStatus("unhealthy", result.Errors);
        if (json)
        {
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(
                new { probe.Status, probe.Reasons, result.Warnings, result.Errors, result.Unavailable, result.DurationSeconds, result.Snapshot }, JobResultJson.Options));
        }
        else
        {
            await Console.Out.WriteLineAsync(probe.Status);
            foreach (var reason in probe.Reasons.Concat(result.Errors).Distinct(StringComparer.Ordinal))
            {
                await Console.Out.WriteLineAsync($"  {reason}");
            }
        }

        return probe.Status switch
        {
            "healthy" => ExitCodes.Done,
            "degraded" => ExitCodes.Degraded,
            _ => ExitCodes.Unhealthy,
        };
    }
}
