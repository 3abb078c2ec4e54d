using System.ComponentModel.DataAnnotations;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;

namespace Maintenance.WebHost.Admin;

/// <summary>A user as an administrator sees it.</summary>
public sealed record AdminUser(
    string Id,
    string Email,
    string Name,
    bool EmailVerified,
    bool HasPassword,
    bool TwoFactorEnabled,
    DateTimeOffset? DisabledAt,
    DateTimeOffset? LockedUntil,
    DateTimeOffset CreatedAt,
    IReadOnlyList<string> Roles)
{
    internal static AdminUser Of(User user) => new(
        user.Key,
        user.Email,
        user.Name,
        user.EmailVerified,
        user.PasswordHash is not null,
        user.TwoFactorEnabled,
        user.DisabledAt,
        user.LockoutEnd,
        user.CreatedAt,
        [.. user.Roles.Select(role => role.Role)]);
}

/// <summary>Users in the order of their addresses.</summary>
/// <param name="Users">A page of them.</param>
/// <param name="Next">To be given as <c>after</c> for the next page; null: this was the last.</param>
public sealed record AdminUserPage(IReadOnlyList<AdminUser> Users, string? Next);

/// <summary>A chain of refresh tokens; none of them can be used by its id.</summary>
public sealed record AdminRefreshToken(string Id, string? SessionId, DateTimeOffset CreatedAt, DateTimeOffset RotatedAt, DateTimeOffset ExpiresAt, int Rotations);

/// <summary>A sign-in at another provider.</summary>
public sealed record AdminExternalLogin(string Provider, string Subject);

/// <summary>A user with what keeps it signed in.</summary>
public sealed record AdminUserDetails(
    AdminUser User, IReadOnlyList<SessionView> Sessions, IReadOnlyList<AdminRefreshToken> RefreshTokens, IReadOnlyList<AdminExternalLogin> ExternalLogins);

/// <summary>A row of the audit trail.</summary>
public sealed record AdminAuditEvent(
    long Id, DateTimeOffset At, string Action, bool Succeeded, string? UserId, string? ActorId, string? SessionId, string? Address, string? UserAgent, string? Detail)
{
    internal static AdminAuditEvent Of(AuditRecord record) => new(
        record.Id, record.At, record.Action, record.Succeeded, record.UserId, record.ActorId, record.SessionId, record.Address, record.UserAgent, record.Detail);
}

/// <summary>Events, newest first.</summary>
/// <param name="Events">A page of them.</param>
/// <param name="Next">To be given as <c>before</c> for the next page; null: this was the last.</param>
public sealed record AdminAuditPage(IReadOnlyList<AdminAuditEvent> Events, long? Next);

/// <summary>How many sessions ended.</summary>
internal sealed record AdminEnded(int Ended);

/// <summary>Which users to list.</summary>
/// <param name="Query">Begin of an address, or a whole id; nothing: all.</param>
/// <param name="After">Where the page before ended.</param>
/// <param name="Limit">1 to 200; default 50.</param>
internal sealed record AdminUserQuery(
    [property: PlainText(254)] string? Query, [property: PlainText(254)] string? After, [property: Range(1, 200)] int Limit = 50);

/// <summary>Which events to list.</summary>
/// <param name="UserId">Whom they concern.</param>
/// <param name="Action">What.</param>
/// <param name="Before">Where the page before ended.</param>
/// <param name="Limit">1 to 500; default 100.</param>
internal sealed record AdminAuditQuery(
    [property: PlainText(64)] string? UserId, [property: PlainText(64)] string? Action, long? Before, [property: Range(1, 500)] int Limit = 100);
