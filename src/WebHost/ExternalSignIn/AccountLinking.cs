using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Mail;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.ExternalSignIn;

/// <summary>
/// Which account an identity signs in to. The provider's id decides; an address only links the two for the first time, and only when both sides have
/// verified it: an account whose address nobody has verified may have been made by somebody who waits for its owner.
/// </summary>
internal sealed class AccountLinking(
    UserManager<User> users, UnverifiedCleanup cleanup, ISessionStore sessions, Outbox outbox, AccountMail mail, IAuditTrail audit, TimeProvider clock)
{
    /// <summary>The account, made if there is none.</summary>
    /// <exception cref="ExternalSignInException">There is none for this identity.</exception>
    public async Task<User> ResolveAsync(ExternalIdentity identity, ExternalProviderOptions provider, HttpContext context)
    {
        // Of two sign-ins at the same time the slower one finds what the faster one made.
        return await TryResolveAsync(identity, provider, context)
            ?? await TryResolveAsync(identity, provider, context)
            ?? throw new ExternalSignInException(ExternalSignInError.InvalidState, "The account was changed at the same time.");
    }

    /// <summary>Links an identity to an account whose owner is signed in and asked for it.</summary>
    /// <exception cref="ExternalSignInException">It is another account's.</exception>
    public async Task LinkAsync(User user, ExternalIdentity identity, HttpContext context)
    {
        var owner = await users.FindByLoginAsync(identity.Provider, identity.Subject);
        if (owner is not null && owner.Id != user.Id)
        {
            throw new ExternalSignInException(ExternalSignInError.AlreadyLinked, "The identity belongs to another account.");
        }

        if (owner is null && !await AddAsync(user, identity, context))
        {
            throw new ExternalSignInException(ExternalSignInError.InvalidState, "The account was changed at the same time.");
        }
    }

    private async Task<User?> TryResolveAsync(ExternalIdentity identity, ExternalProviderOptions provider, HttpContext context)
    {
        if (await users.FindByLoginAsync(identity.Provider, identity.Subject) is { } known)
        {
            return known;
        }

        if (identity is not { Email: { } email, EmailVerified: true })
        {
            throw new ExternalSignInException(ExternalSignInError.EmailNotVerified, "The provider has not verified the user's address.");
        }

        if (await users.FindByEmailAsync(email) is not { } account)
        {
            return provider.CreateAccounts
                ? await CreateAsync(identity, email, context)
                : throw new ExternalSignInException(ExternalSignInError.NoAccount, "There is no account, and this provider creates none.");
        }

        if (!account.EmailVerified)
        {
            throw new ExternalSignInException(ExternalSignInError.AccountNotVerified, "The account with this address has not verified it.");
        }

        if (!provider.LinkByEmail)
        {
            throw new ExternalSignInException(ExternalSignInError.LinkRequired, "The account's owner must link the provider.");
        }

        return account.OwnerProved
            ? await AddAsync(account, identity, context) ? account : null
            : await ClaimAsync(account, identity, context) ? account : null;
    }

    /// <summary>
    /// Gives an account to the owner of its address. The address was verified, but by nobody who showed to know the password: it may be that of a stranger
    /// who registered first, and whose verification the owner confirmed. So it goes, with all else that was set up, and all that is signed in.
    /// </summary>
    private async Task<bool> ClaimAsync(User user, ExternalIdentity identity, HttpContext context)
    {
        // Before and after, as with a reset: without the store nothing is changed, and what is made in between ends too.
        await sessions.RevokeAllAsync(user.Key, except: null, CancellationToken.None);
        await cleanup.ApplyAsync(user, CancellationToken.None);
        user.PasswordHash = null;
        user.Logins.Add(new ExternalLogin { UserId = user.Id, Provider = identity.Provider, Subject = identity.Subject, DisplayName = identity.Name });
        // Writes the user.
        if (!(await users.UpdateSecurityStampAsync(user)).Succeeded)
        {
            return false;
        }

        await sessions.RevokeAllAsync(user.Key, except: null, CancellationToken.None);
        audit.Record(context, new AuditEvent { Action = AuditActions.ExternalLinked, UserId = user.Key, Detail = $"{identity.Provider}: what was set up before the owner was known is removed" });
        mail.SendClaimed(user, identity.Provider);
        return true;
    }

    private async Task<User?> CreateAsync(ExternalIdentity identity, string email, HttpContext context)
    {
        var user = new User { Email = email, EmailVerified = true, OwnerProved = true, Name = identity.Name ?? email[..email.IndexOf('@', StringComparison.Ordinal)], CreatedAt = clock.GetUtcNow() };
        // With the account in one write: an account without a way in would be nobody's.
        user.Logins.Add(new ExternalLogin { UserId = user.Id, Provider = identity.Provider, Subject = identity.Subject, DisplayName = identity.Name });
        if (!(await users.CreateAsync(user)).Succeeded)
        {
            return null;
        }

        audit.Record(context, new AuditEvent { Action = AuditActions.Registered, UserId = user.Key, Detail = identity.Provider });
        return user;
    }

    private async Task<bool> AddAsync(User user, ExternalIdentity identity, HttpContext context)
    {
        if (!(await users.AddLoginAsync(user, new UserLoginInfo(identity.Provider, identity.Subject, identity.Name))).Succeeded)
        {
            return false;
        }

        audit.Record(context, new AuditEvent { Action = AuditActions.ExternalLinked, UserId = user.Key, Detail = identity.Provider });
        var email = new Email("external_linked", user.Email, "A new way to sign in", $"""
            {AccountMail.Greeting(user)}

            your account can now be signed in to by "{identity.Provider}". If it was not you, change your password and remove it.
            """);
        outbox.Tell(email);
        return true;
    }
}
