using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Maintenance.WebHost.Database;

/// <summary>Whether the user database answers and has each table and column that this version reads: an older schema answers too, until somebody asks for what it lacks.</summary>
internal sealed class DatabaseHealthCheck(AuthDbContext database) : IHealthCheck
{
    public const string Name = "database";

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            // No row is read; the server looks up every name all the same.
            await database.Users.AsNoTracking().Where(_ => false).ToListAsync(cancellationToken);
            await database.UserRoles.AsNoTracking().Where(_ => false).ToListAsync(cancellationToken);
            await database.ExternalLogins.AsNoTracking().Where(_ => false).ToListAsync(cancellationToken);
            await database.RecoveryCodes.AsNoTracking().Where(_ => false).ToListAsync(cancellationToken);
            await database.AuditEvents.AsNoTracking().Where(_ => false).ToListAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception exception) when (DatabaseErrors.IsUnavailable(exception))
        {
            return new HealthCheckResult(
                context.Registration.FailureStatus,
                DatabaseErrors.IsBehind(exception)
                    ? "The user database has an older schema than this version needs, or none: run the verb migrate."
                    : "The user database does not answer.");
        }
    }
}
