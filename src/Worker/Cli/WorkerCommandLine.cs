using System.CommandLine;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Demo;
using Maintenance.Worker.Hosting;
using StackExchange.Redis;

namespace Maintenance.Worker.Cli;

/// <summary>The command line: no verb serves.</summary>
internal static class WorkerCommandLine
{
    // After Ctrl-C or SIGTERM a verb may end its batch and write its result.
    private static readonly TimeSpan TerminationTimeout = TimeSpan.FromSeconds(8);

    public static async Task<int> RunAsync(string[] arguments)
    {
        var root = new RootCommand("Keeps auth state on Redis true: scheduled maintenance jobs, metrics and health. Without a verb it serves until it is stopped.")
        {
            RunVerb.Create(),
            CheckVerb.Create(),
            FindVerb.Create(),
            DemoVerb.Create(),
            PauseVerbs.CreatePause(),
            PauseVerbs.CreateResume(),
            ArchiveVerbs.Create(),
        };
        root.SetAction((_, cancellationToken) => ServeAsync(cancellationToken));
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync(error.Message);
            }

            await Console.Error.WriteLineAsync("See --help.");
            return ExitCodes.Usage;
        }

        var serves = parsed.CommandResult.Command == root;
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                // The host handles the signals of a service itself.
                ProcessTerminationTimeout = serves ? null : TerminationTimeout,
            });
        }
        catch (ConfigurationException exception)
        {
            foreach (var problem in exception.Problems)
            {
                await Console.Error.WriteLineAsync($"Configuration: {problem}");
            }

            return ExitCodes.Usage;
        }
        catch (StorageUnavailableException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitCodes.Failed;
        }
        catch (RedisException exception)
        {
            await Console.Error.WriteLineAsync($"Redis refused: {exception.Message}");
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Canceled.");
            return ExitCodes.Interrupted;
        }
    }

    private static async Task<int> ServeAsync(CancellationToken cancellationToken)
    {
        await using var app = WorkerHost.BuildServer();
        WorkerHost.CheckSettings(app.Services);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException exception)
        {
            throw new ConfigurationException([$"Management:Port and Management:Address: {exception.Message}"]);
        }

        await app.WaitForShutdownAsync(cancellationToken);
        return ExitCodes.Done;
    }
}
