using System.CommandLine;
using Maintenance.Worker.Hosting;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Cli;

/// <summary><c>pause</c> and <c>resume</c>: all jobs on all replicas.</summary>
internal static class PauseVerbs
{
    private static readonly TimeSpan DefaultLength = TimeSpan.FromHours(1);

    public static Command CreatePause()
    {
        var length = new Option<TimeSpan>("--for")
        {
            Description = $"How long, hh:mm:ss or d.hh:mm:ss; at most {PauseState.Longest.TotalDays:0} days",
            DefaultValueFactory = _ => DefaultLength,
        };
        length.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !PauseState.TryParseLength(token.Value, out _, out var problem))
            {
                result.AddError($"--for {problem}");
            }
        });
        var command = new Command("pause", "Skip every run on every replica for a while. Runs under way end as they would.") { length };
        command.SetAction((parsed, cancellationToken) => PauseAsync(parsed.GetValue(length), cancellationToken));
        return command;
    }

    public static Command CreateResume()
    {
        var command = new Command("resume", "End a pause.");
        command.SetAction((_, cancellationToken) => ResumeAsync(cancellationToken));
        return command;
    }

    private static async Task<int> PauseAsync(TimeSpan length, CancellationToken cancellationToken)
    {
        using var host = WorkerHost.BuildTool();
        WorkerHost.CheckSettings(host.Services);
        var pause = await host.Services.GetRequiredService<PauseState>().SetAsync(length, By(), cancellationToken);
        await Console.Out.WriteLineAsync($"All jobs are {pause.Reason}.");
        return ExitCodes.Done;
    }

    private static async Task<int> ResumeAsync(CancellationToken cancellationToken)
    {
        using var host = WorkerHost.BuildTool();
        WorkerHost.CheckSettings(host.Services);
        var state = host.Services.GetRequiredService<PauseState>();
        var ended = await state.EndAsync(By(), cancellationToken);
        await Console.Out.WriteLineAsync(ended ? "The pause is over." : "There was no pause.");
        if (await state.GetAsync(cancellationToken) is { } still)
        {
            await Console.Out.WriteLineAsync($"Jobs are still {still.Reason}.");
        }

        return ExitCodes.Done;
    }

    private static string By() => $"{Environment.UserName}@{Environment.MachineName}";
}
