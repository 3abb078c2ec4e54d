using Maintenance.WebHost.Database;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Admin;

/// <summary>Whether somebody may act as administrator now.</summary>
internal enum AdminStanding
{
    /// <summary>Yes.</summary>
    Admin,

    /// <summary>The role is there, the second factor that it needs is not.</summary>
    NeedsSecondFactor,

    /// <summary>No.</summary>
    None,
}

/// <summary>
/// What the database says of an administrator now. A session's claim says what was so when it began; a role that needs a second factor must not outlive
/// the factor, so every administrator's request asks.
/// </summary>
internal sealed class AdminRole(AuthDbContext database, IOptionsMonitor<AdminOptions> options, IHostEnvironment environment)
{
    /// <summary>What an administrator without a second factor is told.</summary>
    public const string HowTo =
        "Administrators need a second factor here (Admin:RequireSecondFactor). Turn yours on: POST /api/auth/2fa/enrol, then POST /api/auth/2fa/confirm with a code of the authenticator; or at /admin/second-factor.";

    /// <summary>Whether the role counts only with a second factor.</summary>
    public bool NeedsSecondFactor => options.CurrentValue.RequireSecondFactor ?? !environment.IsDevelopment();

    /// <summary>Looks it up.</summary>
    /// <param name="context">A request of somebody who is signed in.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<AdminStanding> StandingAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (!User.TryParseKey(context.User.UserId(), out var id))
        {
            return AdminStanding.None;
        }

        var now = await database.Users.AsNoTracking()
            .Where(user => user.Id == id && user.DisabledAt == null && user.Roles.Any(role => role.Role == Roles.Admin))
            .Select(user => new { user.TwoFactorEnabled })
            .FirstOrDefaultAsync(cancellationToken);
        return now is null ? AdminStanding.None
            : now.TwoFactorEnabled || !NeedsSecondFactor ? AdminStanding.Admin
            : AdminStanding.NeedsSecondFactor;
    }

    /// <summary>Whether an account has the role, whether it counts or not.</summary>
    public static bool IsHeldBy(User user) => user.Roles.Exists(role => role.Role == Roles.Admin);

    /// <summary>Lets administrators pass whose role counts. Beside the policy, which looks at the session alone.</summary>
    public static async ValueTask<object?> FilterAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        switch (await context.RequestServices.GetRequiredService<AdminRole>().StandingAsync(context, context.RequestAborted))
        {
            case AdminStanding.Admin:
                return await next(invocation);
            case AdminStanding.NeedsSecondFactor:
                AdminRefusal.Record(context, AdminRefusal.NoSecondFactor);
                return Problems.Of(StatusCodes.Status403Forbidden, "second_factor_required", HowTo);
            default:
                AdminRefusal.Record(context, AdminRefusal.NoRole);
                return Problems.Of(StatusCodes.Status403Forbidden, "forbidden", "This account is not an administrator's.");
        }
    }
}
