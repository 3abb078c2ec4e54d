using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Database;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Maintenance.WebHost.Admin;

/// <summary>
/// <c>create-admin &lt;email&gt;</c>: makes the account with this address an administrator. The first one cannot be made over HTTP; who may run this may
/// write the database anyway. The account registers like any other, so no password passes through a command line.
/// </summary>
internal static class CreateAdminVerb
{
    public const string Name = "create-admin";

    /// <summary>Does without the verified address.</summary>
    public const string Unverified = "--unverified";

    /// <summary>Runs it.</summary>
    /// <returns>0 done, or it was so already; 1 there is no such account, or the database does not answer; 2 bad usage.</returns>
    public static async Task<int> RunAsync(IServiceProvider services, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var unverified = arguments.Contains(Unverified);
        if (arguments.Count != (unverified ? 2 : 1) || !arguments[0].Contains('@', StringComparison.Ordinal))
        {
            await Console.Error.WriteLineAsync($"Usage: {Name} <email> [{Unverified}]. The account must have been registered, and its address verified.");
            return 2;
        }

        await using var scope = services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<User>>();
        try
        {
            if (await users.FindByEmailAsync(arguments[0]) is not { } user)
            {
                await Console.Error.WriteLineAsync("There is no account with this address; register it first.");
                return 1;
            }

            if (user.Roles.Exists(role => role.Role == Roles.Admin))
            {
                await Console.Out.WriteLineAsync("The account is an administrator's already.");
                return 0;
            }

            if (!user.OwnerProved && !unverified)
            {
                await Console.Error.WriteLineAsync(
                    $"Nobody has proved that this account is the address's owner's: whoever registered it first would become administrator. Verify the address while signed in, or reset the password, then run this again; {Unverified} does without.");
                return 1;
            }

            user.Roles.Add(new UserRole { UserId = user.Id, Role = Roles.Admin });
            var database = scope.ServiceProvider.GetRequiredService<AuthDbContext>();
            database.AuditEvents.Add(services.GetRequiredService<IAuditTrail>().Prepare(
                new AuditEvent { Action = AuditActions.AdminRoleGiven, UserId = user.Key, Detail = "command line" }));
            // A log-in under way looks again, if it has not looked already; then it is like one of before, which the role counts for from its next sign-in.
            if (!(await users.UpdateSecurityStampAsync(user)).Succeeded)
            {
                await Console.Error.WriteLineAsync("The account was changed at the same time; run it again.");
                return 1;
            }

            await Console.Out.WriteLineAsync("The account is an administrator's now; it counts from its next sign-in.");
            if (scope.ServiceProvider.GetRequiredService<AdminRole>().NeedsSecondFactor && !user.TwoFactorEnabled)
            {
                await Console.Out.WriteLineAsync($"Before that: {AdminRole.HowTo}");
            }

            return 0;
        }
        catch (Exception exception) when (DatabaseErrors.IsUnavailable(exception) || exception is DbUpdateException)
        {
            await Console.Error.WriteLineAsync($"The database could not be used: {exception.Message}");
            return 1;
        }
    }
}
