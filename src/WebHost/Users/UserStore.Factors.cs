using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Maintenance.WebHost.Users;

/// <content>Second factors, providers and roles.</content>
internal sealed partial class UserStore
{
    private static readonly IdentityErrorDescriber errors = new();

    public Task SetTwoFactorEnabledAsync(User user, bool enabled, CancellationToken cancellationToken) => Set(() => user.TwoFactorEnabled = enabled);

    public Task<bool> GetTwoFactorEnabledAsync(User user, CancellationToken cancellationToken) => Task.FromResult(user.TwoFactorEnabled);

    public Task SetAuthenticatorKeyAsync(User user, string key, CancellationToken cancellationToken) => Set(() => user.AuthenticatorKey = key);

    public Task<string?> GetAuthenticatorKeyAsync(User user, CancellationToken cancellationToken) => Task.FromResult(user.AuthenticatorKey);

    public async Task ReplaceCodesAsync(User user, IEnumerable<string> recoveryCodes, CancellationToken cancellationToken)
    {
        await database.Entry(user).Collection(u => u.RecoveryCodes).LoadAsync(cancellationToken);
        user.RecoveryCodes.Clear();
        user.RecoveryCodes.AddRange(recoveryCodes.Select(code => new RecoveryCode { UserId = user.Id, Hash = HashOf(user, code) }));
    }

    /// <summary>Uses a code up. The row is deleted at once and by itself, so of two callers one gets it.</summary>
    public async Task<bool> RedeemCodeAsync(User user, string code, CancellationToken cancellationToken)
    {
        var hash = HashOf(user, code);
        var found = await database.RecoveryCodes.FirstOrDefaultAsync(c => c.UserId == user.Id && c.Hash == hash, cancellationToken);
        if (found is null)
        {
            return false;
        }

        try
        {
            database.RecoveryCodes.Remove(found);
            await database.SaveChangesAsync(cancellationToken);
            return true;
        }
        catch (DbUpdateConcurrencyException)
        {
            database.Entry(found).State = EntityState.Detached;
            return false;
        }
    }

    /// <summary>Whether a code would be redeemed; it is not used up.</summary>
    public Task<bool> HasCodeAsync(User user, string code, CancellationToken cancellationToken)
    {
        var hash = HashOf(user, code);
        return database.RecoveryCodes.AnyAsync(c => c.UserId == user.Id && c.Hash == hash, cancellationToken);
    }

    public Task<int> CountCodesAsync(User user, CancellationToken cancellationToken) =>
        database.RecoveryCodes.CountAsync(code => code.UserId == user.Id, cancellationToken);

    public async Task AddLoginAsync(User user, UserLoginInfo login, CancellationToken cancellationToken)
    {
        await database.Entry(user).Collection(u => u.Logins).LoadAsync(cancellationToken);
        user.Logins.Add(new ExternalLogin { UserId = user.Id, Provider = login.LoginProvider, Subject = login.ProviderKey, DisplayName = login.ProviderDisplayName });
    }

    public async Task RemoveLoginAsync(User user, string loginProvider, string providerKey, CancellationToken cancellationToken)
    {
        await database.Entry(user).Collection(u => u.Logins).LoadAsync(cancellationToken);
        user.Logins.RemoveAll(login => login.Provider == loginProvider && login.Subject == providerKey);
    }

    public async Task<IList<UserLoginInfo>> GetLoginsAsync(User user, CancellationToken cancellationToken) =>
        await database.ExternalLogins
            .Where(login => login.UserId == user.Id)
            .Select(login => new UserLoginInfo(login.Provider, login.Subject, login.DisplayName))
            .ToListAsync(cancellationToken);

    public async Task<User?> FindByLoginAsync(string loginProvider, string providerKey, CancellationToken cancellationToken)
    {
        var login = await database.ExternalLogins.AsNoTracking()
            .FirstOrDefaultAsync(l => l.Provider == loginProvider && l.Subject == providerKey, cancellationToken);
        return login is null ? null : await FindByIdAsync(login.UserId.ToString("D"), cancellationToken);
    }

    public Task AddToRoleAsync(User user, string roleName, CancellationToken cancellationToken) =>
        Set(() => user.Roles.Add(new UserRole { UserId = user.Id, Role = Role(roleName) }));

    public Task RemoveFromRoleAsync(User user, string roleName, CancellationToken cancellationToken) =>
        Set(() => user.Roles.RemoveAll(role => role.Role == Role(roleName)));

    public Task<IList<string>> GetRolesAsync(User user, CancellationToken cancellationToken) =>
        Task.FromResult<IList<string>>([.. user.Roles.Select(role => role.Role)]);

    public Task<bool> IsInRoleAsync(User user, string roleName, CancellationToken cancellationToken) =>
        Task.FromResult(user.Roles.Exists(role => role.Role == Role(roleName)));

    public async Task<IList<User>> GetUsersInRoleAsync(string roleName, CancellationToken cancellationToken)
    {
        var role = Role(roleName);
        return await database.Users.Include(user => user.Roles).Where(user => user.Roles.Any(r => r.Role == role)).ToListAsync(cancellationToken);
    }

    // The managers hand over normalized (upper-case) names.
    private static string Role(string name) => name.ToLowerInvariant();

    private static string HashOf(User user, string code) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{user.Key}:{TwoFactor.RecoveryCodes.Normalize(code)}")));
}
