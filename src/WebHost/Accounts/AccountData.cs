using System.Text.Json.Nodes;
using Maintenance.Storage.UserData;
using Maintenance.WebHost.Database;
using Maintenance.WebHost.Profile.Avatars;
using Maintenance.WebHost.Users;
using Microsoft.EntityFrameworkCore;

namespace Maintenance.WebHost.Accounts;

/// <summary>The account's part when all of a user is exported or erased. The audit trail outlives the account: it knows the person by the id alone.</summary>
internal sealed class AccountData(IServiceScopeFactory scopes, IAvatarStore avatars) : IUserDataSource
{
    // As many as a person looks through; the rest is with the operator.
    private const int AuditEvents = 1000;

    public string Name => "account";

    public async Task<JsonNode?> ExportAsync(string userId, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<AuthDbContext>();
        if (await FindAsync(database, userId, cancellationToken) is not { } user)
        {
            return null;
        }

        var events = await database.AuditEvents.AsNoTracking()
            .Where(row => row.UserId == userId).OrderByDescending(row => row.Id).Take(AuditEvents).ToListAsync(cancellationToken);
        return new JsonObject
        {
            ["id"] = user.Key,
            ["email"] = user.Email,
            ["email_verified"] = user.EmailVerified,
            ["name"] = user.Name,
            ["created_at"] = user.CreatedAt,
            ["locale"] = user.Locale,
            ["time_zone"] = user.TimeZone,
            ["avatar"] = user.Avatar,
            ["two_factor_enabled"] = user.TwoFactorEnabled,
            ["roles"] = new JsonArray([.. user.Roles.Select(role => (JsonNode)role.Role)]),
            ["external_logins"] = new JsonArray([.. user.Logins.Select(login => (JsonNode)new JsonObject { ["provider"] = login.Provider, ["subject"] = login.Subject })]),
            ["security_events"] = new JsonArray([.. events.Select(row => (JsonNode)new JsonObject
            {
                ["at"] = row.At,
                ["action"] = row.Action,
                ["succeeded"] = row.Succeeded,
                ["session"] = row.SessionId,
                // An administrator's address is the administrator's, not this user's.
                ["ip_address"] = row.ActorId is null ? row.Address : null,
                ["user_agent"] = row.ActorId is null ? row.UserAgent : null,
                ["detail"] = row.Detail,
            })]),
        };
    }

    public async Task<long> EraseAsync(string userId, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<AuthDbContext>();
        if (await FindAsync(database, userId, cancellationToken) is not { } user)
        {
            return 0;
        }

        database.Users.Remove(user);
        try
        {
            var rows = await database.SaveChangesAsync(cancellationToken);
            if (user.Avatar is { } picture)
            {
                // After the row: a row without its picture would be worse than a picture that is deleted a moment later.
                avatars.Delete(picture);
            }

            return rows;
        }
        catch (DbUpdateConcurrencyException)
        {
            // Another request changed or erased it meanwhile: look again.
            return await EraseAsync(userId, cancellationToken);
        }
    }

    private static async Task<User?> FindAsync(AuthDbContext database, string userId, CancellationToken cancellationToken) =>
        User.TryParseKey(userId, out var id)
            ? await database.Users.Include(user => user.Roles).Include(user => user.Logins).Include(user => user.RecoveryCodes).AsSplitQuery()
                .FirstOrDefaultAsync(user => user.Id == id, cancellationToken)
            : null;
}
