using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.Accounts;

/// <summary>
/// Removes what somebody may have set up for an address before its owner came: anybody can register an address that is not his, enrol his authenticator,
/// link his identity at a provider, and wait.
/// </summary>
internal sealed class UnverifiedCleanup(IUserLoginStore<User> logins, IUserTwoFactorRecoveryCodeStore<User> recoveryCodes)
{
    /// <summary>
    /// For an account whose owner has not been proved: takes its providers, second factor and recovery codes away and marks it as its owner's. Call it where
    /// the mailbox has just been proved and a new way in is being set; the caller writes the user, with a new security stamp.
    /// </summary>
    /// <returns>Whether anything was removed.</returns>
    public async Task<bool> ApplyAsync(User user, CancellationToken cancellationToken)
    {
        if (user.OwnerProved)
        {
            return false;
        }

        var linked = await logins.GetLoginsAsync(user, cancellationToken);
        foreach (var login in linked)
        {
            await logins.RemoveLoginAsync(user, login.LoginProvider, login.ProviderKey, cancellationToken);
        }

        var removed = linked.Count > 0 || user.TwoFactorEnabled;
        await recoveryCodes.ReplaceCodesAsync(user, [], cancellationToken);
        user.TwoFactorEnabled = false;
        user.AuthenticatorKey = null;
        user.OwnerProved = true;
        return removed;
    }
}
