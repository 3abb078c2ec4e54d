using Maintenance.Storage.Outage;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;
using Maintenance.Storage.TwoFactor;
using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Database;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.SignIn;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Maintenance.WebHost.Admin;

/// <summary>How an operation ended.</summary>
internal enum AdminOutcome
{
    /// <summary>Done, or it was so already.</summary>
    Done,

    /// <summary>Redis is away: it is written down, and holds everywhere as soon as Redis is back.</summary>
    Journalled,

    /// <summary>There is no such user, session or token.</summary>
    NotFound,

    /// <summary>Somebody else changed the user at the same time; nothing was done.</summary>
    Conflict,

    /// <summary>Nobody has proved that the account is the address's owner's, so nobody knows whom the role would go to.</summary>
    Unverified,

    /// <summary>An administrator cannot shut the own account or take the own role: nobody might be left.</summary>
    OneSelf,
}

/// <summary>Who does it, for the audit trail.</summary>
/// <param name="Context">The request.</param>
/// <param name="Id">The administrator.</param>
internal readonly record struct AdminActor(HttpContext Context, string Id)
{
    public static AdminActor Of(HttpContext context) => new(context, context.User.UserId());
}

/// <summary>What an administrator can do. The API and the pages both call this; every change is audited with who did it.</summary>
internal sealed class AdminOperations(
    UserManager<User> users,
    AuthDbContext database,
    ISessionStore sessions,
    IRefreshTokenStore families,
    AccountState accounts,
    AccountLimit failures,
    ITwoFactorStore challenges,
    ILookupNormalizer normalizer,
    TimeProvider clock,
    IAuditTrail audit)
{
    public async Task<AdminUserPage> FindUsersAsync(AdminUserQuery query, CancellationToken cancellationToken)
    {
        if (HasNul(query.Query) || HasNul(query.After))
        {
            return new AdminUserPage([], null);
        }

        var found = database.Users.AsNoTracking().Include(user => user.Roles).AsQueryable();
        if (User.TryParseKey(query.Query?.Trim(), out var id))
        {
            found = found.Where(user => user.Id == id);
        }
        else if (!string.IsNullOrWhiteSpace(query.Query))
        {
            var begin = normalizer.NormalizeEmail(query.Query.Trim());
            found = found.Where(user => user.NormalizedEmail.StartsWith(begin));
        }

        if (!string.IsNullOrEmpty(query.After))
        {
            found = found.Where(user => string.Compare(user.NormalizedEmail, query.After) > 0);
        }

        var page = await found.OrderBy(user => user.NormalizedEmail).Take(query.Limit + 1).ToListAsync(cancellationToken);
        return new AdminUserPage(
            [.. page.Take(query.Limit).Select(AdminUser.Of)], page.Count > query.Limit ? page[query.Limit - 1].NormalizedEmail : null);
    }

    public async Task<AdminUserDetails?> GetUserAsync(string userId, CancellationToken cancellationToken)
    {
        if (await users.FindByIdAsync(userId) is not { } user)
        {
            return null;
        }

        var live = await sessions.ListAsync(user.Key, cancellationToken);
        var chains = await families.ListAsync(user.Key, cancellationToken);
        var logins = await users.GetLoginsAsync(user);
        var locked = await failures.BlockedForAsync(user.Email, cancellationToken) is { } left ? clock.GetUtcNow() + left : user.LockoutEnd;
        return new AdminUserDetails(
            AdminUser.Of(user) with { LockedUntil = locked },
            [.. live.Select(session => SessionView.Of(session, current: null))],
            [.. chains.Select(f => new AdminRefreshToken(f.Id.Value, f.SessionId?.Value, f.CreatedAt, f.RotatedAt, f.ExpiresAt, f.Rotations))],
            [.. logins.Select(login => new AdminExternalLogin(login.LoginProvider, login.ProviderKey))]);
    }

    /// <summary>Ends every session of a user, with its refresh tokens.</summary>
    /// <returns>What was ended; null: no such user.</returns>
    public async Task<RevokedSessions?> EndSessionsAsync(AdminActor actor, string userId, CancellationToken cancellationToken)
    {
        if (await users.FindByIdAsync(userId) is not { } user)
        {
            return null;
        }

        var ended = await sessions.RevokeAllAsync(user.Key, except: null, cancellationToken);
        Record(actor, AuditActions.AdminSessionsEnded, user);
        return ended;
    }

    public async Task<AdminOutcome> EndSessionAsync(AdminActor actor, string userId, string sessionId, CancellationToken cancellationToken)
    {
        if (await users.FindByIdAsync(userId) is not { } user || !SessionId.TryParse(sessionId, out var session))
        {
            return AdminOutcome.NotFound;
        }

        var ended = await sessions.RevokeAsync(user.Key, session, cancellationToken);
        if (!ended)
        {
            return AdminOutcome.NotFound;
        }

        Record(actor, AuditActions.AdminSessionEnded, user, session.Value);
        return Of(ended.Outcome);
    }

    public async Task<AdminOutcome> RevokeTokenAsync(AdminActor actor, string userId, string familyId, CancellationToken cancellationToken)
    {
        if (await users.FindByIdAsync(userId) is not { } user
            || !TokenId.TryParse(familyId, out var family)
            || !await families.RevokeAsync(user.Key, family, cancellationToken))
        {
            return AdminOutcome.NotFound;
        }

        Record(actor, AuditActions.AdminTokenRevoked, user);
        return AdminOutcome.Done;
    }

    /// <summary>Forgets failed log-ins and wrong codes, and ends a lock-out.</summary>
    public async Task<AdminOutcome> UnlockAsync(AdminActor actor, string userId, CancellationToken cancellationToken)
    {
        if (await users.FindByIdAsync(userId) is not { } user)
        {
            return AdminOutcome.NotFound;
        }

        await failures.ForgetAsync(user.Email, cancellationToken);
        await challenges.ForgiveAsync(user.Key, cancellationToken);
        user.LockoutEnd = null;
        user.AccessFailedCount = 0;
        return await EndedAsync(actor, AuditActions.AdminUnlocked, user, (await users.UpdateAsync(user)).Succeeded);
    }

    /// <summary>Shuts an account; its sessions end at once.</summary>
    public async Task<AdminOutcome> DisableAsync(AdminActor actor, string userId, CancellationToken cancellationToken)
    {
        if (await users.FindByIdAsync(userId) is not { } user)
        {
            return AdminOutcome.NotFound;
        }

        if (user.Key == actor.Id)
        {
            return AdminOutcome.OneSelf;
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (!await accounts.ShutAsync(user))
        {
            return AdminOutcome.Conflict;
        }

        // Before the sessions end: what is written must be on record although Redis does not answer. A repeated call ends them.
        Record(actor, AuditActions.AccountDisabled, user);
        return Of(await accounts.EndSessionsAsync(user));
    }

    public async Task<AdminOutcome> EnableAsync(AdminActor actor, string userId) =>
        await users.FindByIdAsync(userId) is not { } user
            ? AdminOutcome.NotFound
            : await EndedAsync(actor, AuditActions.AccountEnabled, user, await accounts.EnableAsync(user));

    /// <summary>
    /// Gives or takes the administrator's role. Sessions carry the roles that they began with, so they all end, also when the role is as asked already:
    /// the call before may not have come so far. The stamp changes with the role, so that a log-in under way does not keep the old one.
    /// </summary>
    public async Task<AdminOutcome> SetAdminAsync(AdminActor actor, string userId, bool admin, CancellationToken cancellationToken)
    {
        if (await users.FindByIdAsync(userId) is not { } user)
        {
            return AdminOutcome.NotFound;
        }

        if (user.Key == actor.Id)
        {
            return AdminOutcome.OneSelf;
        }

        if (admin && !user.OwnerProved)
        {
            return AdminOutcome.Unverified;
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (user.Roles.Exists(role => role.Role == Roles.Admin) != admin)
        {
            if (admin)
            {
                user.Roles.Add(new UserRole { UserId = user.Id, Role = Roles.Admin });
            }
            else
            {
                user.Roles.RemoveAll(role => role.Role == Roles.Admin);
            }

            // Writes the user.
            if (!(await users.UpdateSecurityStampAsync(user)).Succeeded)
            {
                return AdminOutcome.Conflict;
            }

            Record(actor, admin ? AuditActions.AdminRoleGiven : AuditActions.AdminRoleTaken, user);
        }

        return Of((await sessions.RevokeAllAsync(user.Key, except: null, CancellationToken.None)).Outcome);
    }

    public async Task<AdminAuditPage> AuditAsync(AdminAuditQuery query, CancellationToken cancellationToken)
    {
        if (HasNul(query.UserId) || HasNul(query.Action))
        {
            return new AdminAuditPage([], null);
        }

        var found = database.AuditEvents.AsNoTracking().AsQueryable();
        if (!string.IsNullOrEmpty(query.UserId))
        {
            found = found.Where(record => record.UserId == query.UserId);
        }

        if (!string.IsNullOrEmpty(query.Action))
        {
            found = found.Where(record => record.Action == query.Action);
        }

        if (query.Before is { } before)
        {
            found = found.Where(record => record.Id < before);
        }

        var page = await found.OrderByDescending(record => record.Id).Take(query.Limit + 1).ToListAsync(cancellationToken);
        return new AdminAuditPage([.. page.Take(query.Limit).Select(AdminAuditEvent.Of)], page.Count > query.Limit ? page[query.Limit - 1].Id : null);
    }

    // No row holds it, and PostgreSQL takes no text with it. The API refuses it before; a page's address may carry it.
    private static bool HasNul(string? text) => text?.Contains('\0', StringComparison.Ordinal) == true;

    private static AdminOutcome Of(RevocationOutcome outcome) => outcome == RevocationOutcome.Done ? AdminOutcome.Done : AdminOutcome.Journalled;

    private Task<AdminOutcome> EndedAsync(AdminActor actor, string action, User user, bool succeeded)
    {
        if (succeeded)
        {
            Record(actor, action, user);
        }

        return Task.FromResult(succeeded ? AdminOutcome.Done : AdminOutcome.Conflict);
    }

    private void Record(AdminActor actor, string action, User user, string? session = null) =>
        audit.Record(actor.Context, new AuditEvent { Action = action, UserId = user.Key, ActorId = actor.Id, SessionId = session });
}
