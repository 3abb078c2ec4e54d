using Maintenance.Storage.Outage;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.Accounts;

/// <summary>Shuts and opens accounts.</summary>
internal sealed class AccountState(UserManager<User> users, ISessionStore sessions, TimeProvider clock)
{
    /// <summary>Shuts an account; <see cref="EndSessionsAsync"/> follows. In this order a log-in under way either meets the end or sees that the account is shut.</summary>
    /// <returns>False: another write came between; nothing was changed.</returns>
    public async Task<bool> ShutAsync(User user)
    {
        user.DisabledAt ??= clock.GetUtcNow();
        return (await users.UpdateAsync(user)).Succeeded;
    }

    /// <summary>Ends the sessions of an account that has been shut. Whoever asked may have hung up; the store's deadline bounds the wait.</summary>
    public async Task<RevocationOutcome> EndSessionsAsync(User user) =>
        (await sessions.RevokeAllAsync(user.Key, except: null, CancellationToken.None)).Outcome;

    /// <summary>Opens an account again.</summary>
    public async Task<bool> EnableAsync(User user)
    {
        user.DisabledAt = null;
        return (await users.UpdateAsync(user)).Succeeded;
    }
}
