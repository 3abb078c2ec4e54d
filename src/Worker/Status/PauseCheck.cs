using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Maintenance.Worker.Status;

/// <summary>Says that jobs are paused, so that nobody wonders. A pause is wanted, so it is not unhealthy.</summary>
internal sealed class PauseCheck(PauseState pause) : IHealthCheck
{
    public const string Name = "pause";

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            return await pause.GetAsync(cancellationToken) is { } paused
                ? HealthCheckResult.Degraded($"All jobs are {paused.Reason}.")
                : HealthCheckResult.Healthy("Not paused.");
        }
        catch (Exception exception) when (exception.IsOfRedis())
        {
            return HealthCheckResult.Degraded($"Not known: {exception.Message}");
        }
    }
}
