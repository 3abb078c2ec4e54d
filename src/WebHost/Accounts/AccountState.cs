using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.Accounts;

/// <summary>Shuts and opens accounts.</summary>
internal sealed class AccountState(UserManager<User> users, ISessionStore sessions, TimeProvider clock)
{
    /// <summary>Shuts an account and ends its sessions. In this order: a log-in under way either meets the end or sees that the account is shut.</summary>
    /// <returns>False: another write came between; nothing was changed.</returns>
    public async Task<bool> DisableAsync(User user, CancellationToken cancellationToken)
    {
        user.DisabledAt ??= clock.GetUtcNow();
        if (!(await users.UpdateAsync(user)).Succeeded)
        {
            return false;
        }

        await sessions.RevokeAllAsync(user.Key, except: null, cancellationToken);
        return true;
    }

    /// <summary>Opens an account again.</summary>
    public async Task<bool> EnableAsync(User user)
    {
        user.DisabledAt = null;
        return (await users.UpdateAsync(user)).Succeeded;
    }
}
