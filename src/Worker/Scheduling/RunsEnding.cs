namespace Maintenance.Worker.Scheduling;

/// <summary>Keeps the process until the runs that nobody waits for have ended too: those that were asked for over HTTP, or after a failover.</summary>
internal sealed class RunsEnding(JobRunner runner, ILogger<RunsEnding> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The runs have been told to stop when the host began to; the host's own patience ends the wait.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await runner.EndedAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            logger.RunsNotEnded();
        }
    }
}
