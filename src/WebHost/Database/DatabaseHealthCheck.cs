using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Maintenance.WebHost.Database;

/// <summary>Whether the user database answers and has its tables.</summary>
internal sealed class DatabaseHealthCheck(AuthDbContext database) : IHealthCheck
{
    public const string Name = "database";

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await database.Users.AsNoTracking().Select(user => user.Id).FirstOrDefaultAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception exception) when (DatabaseErrors.IsUnavailable(exception))
        {
            return new HealthCheckResult(
                context.Registration.FailureStatus, "The user database does not answer, or its tables are not there yet (run the verb migrate).");
        }
    }
}
