using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Hosting;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Cli;

/// <summary><c>run &lt;job&gt;</c>: one run in the foreground.</summary>
internal static class RunVerb
{
    public static Command Create()
    {
        var job = new Argument<string>("job") { Description = "One of: " + string.Join(", ", JobNames.All) };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be done and do nothing; exit 3 if there is drift" };
        var json = new Option<bool>("--json") { Description = "Print the result as one JSON document" };
        var fullSpeed = new Option<bool>("--full-speed") { Description = "Without the budget's pauses; foreground clients of Redis will notice" };
        var brakeShare = new Option<double?>("--brake-share")
        {
            Description = "Let this run remove up to this share (0 to 1) of what it sees, instead of what Jobs:<Job>:Brake:Share says",
        };
        brakeShare.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is < 0 or > 1 or double.NaN)
            {
                result.AddError("--brake-share expects 0 to 1.");
            }
        });
        var command = new Command("run", "Run one job now. Exit 0 done, 1 failed or not run, 2 wrong usage, 3 drift found under --dry-run.") { job, dryRun, json, fullSpeed, brakeShare };
        job.Validators.Add(result =>
        {
            var name = result.GetValueOrDefault<string>();
            if (!JobNames.All.Contains(name, StringComparer.Ordinal))
            {
                result.AddError($"No job '{name}'; expected one of {string.Join(", ", JobNames.All)}.");
            }
        });
        command.SetAction((parsed, cancellationToken) => RunAsync(
            new RunRequest(parsed.GetRequiredValue(job)) { DryRun = parsed.GetValue(dryRun), FullSpeed = parsed.GetValue(fullSpeed) },
            parsed.GetValue(json),
            parsed.GetValue(brakeShare),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(RunRequest request, bool json, double? brakeShare, CancellationToken cancellationToken)
    {
        // As a setting of this run alone, so that it is checked and reported as one.
        using var host = WorkerHost.BuildTool(brakeShare is { } share
            ? [new($"Jobs:{JobNames.Section(request.Job)}:Brake:Share", share.ToString(CultureInfo.InvariantCulture))]
            : []);
        WorkerHost.CheckSettings(host.Services);
        if (!host.Services.GetServices<JobRegistration>().Any(job => job.Name == request.Job))
        {
            throw new ConfigurationException([$"This build has no job '{request.Job}'."]);
        }

        // A verb's first call would else find no connection yet and give up its lease; what keeps it from connecting, the run says.
        await host.Services.GetRequiredService<RedisConnection>().ConnectAsync(cancellationToken);
        using var progress = ProgressLine.ForTerminal();
        var result = await host.Services.GetRequiredService<JobRunner>().RunAsync(request with { Progress = progress }, cancellationToken);
        progress?.Clear();
        if (json)
        {
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(result, JobResultJson.Options));
        }
        else
        {
            await ResultText.WriteAsync(Console.Out, result);
        }

        return ExitCode(result);
    }

    internal static int ExitCode(JobResult result) => result.Outcome switch
    {
        JobOutcome.Success when result.DryRun && DriftCounts.Any(result) => ExitCodes.DriftFound,
        JobOutcome.Success => ExitCodes.Done,
        JobOutcome.Canceled when result.Reason == RunEnding.Canceled => ExitCodes.Interrupted,
        _ => ExitCodes.Failed,
    };
}
