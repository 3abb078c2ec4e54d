using Maintenance.Storage.Profiles;
using Maintenance.Storage.Redis;
using Maintenance.WebHost.Database;
using Maintenance.WebHost.Profile.Avatars;
using Maintenance.WebHost.Users;
using Microsoft.EntityFrameworkCore;
using StackExchange.Redis;

namespace Maintenance.WebHost.Profile;

/// <summary>Profiles, served from the cache.</summary>
internal sealed class UserProfiles(ProfileCache cache, AuthDbContext database)
{
    /// <summary>A user's profile; null when there is no such user.</summary>
    public async Task<ProfileView?> FindAsync(string userId, CancellationToken cancellationToken) =>
        await cache.GetOrLoadAsync(userId, stop => LoadAsync(userId, stop), cancellationToken) is { } fields ? Read(fields) : null;

    private async Task<IReadOnlyDictionary<string, string?>?> LoadAsync(string userId, CancellationToken cancellationToken)
    {
        if (!User.TryParseKey(userId, out var id)
            || await database.Users.AsNoTracking().Include(u => u.Roles).FirstOrDefaultAsync(u => u.Id == id, cancellationToken) is not { } user)
        {
            return null;
        }

        return new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["id"] = user.Key,
            ["email"] = user.Email,
            ["emailVerified"] = user.EmailVerified ? "true" : "false",
            ["displayName"] = user.Name,
            ["roles"] = string.Join(',', user.Roles.Select(role => role.Role)),
            ["locale"] = user.Locale,
            ["timeZone"] = user.TimeZone,
            ["avatarUrl"] = user.Avatar is { } avatar ? AvatarEndpoints.UrlOf(avatar) : null,
        };
    }

    private static ProfileView Read(IReadOnlyDictionary<string, string?> fields) => new(
        fields.GetValueOrDefault("id") ?? "",
        fields.GetValueOrDefault("email") ?? "",
        fields.GetValueOrDefault("emailVerified") == "true",
        fields.GetValueOrDefault("displayName") ?? "",
        fields.GetValueOrDefault("roles")?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [],
        fields.GetValueOrDefault("locale"),
        fields.GetValueOrDefault("timeZone"),
        fields.GetValueOrDefault("avatarUrl"));
}

/// <summary>Makes every host forget a profile whose user was written. Called by the store of users, so that no feature can forget it.</summary>
internal sealed class ProfileInvalidation(ProfileCache cache, ILogger<ProfileInvalidation> logger)
{
    public async Task ChangedAsync(User user)
    {
        try
        {
            // Not the request's token: the row is written, and must be followed by this.
            await cache.InvalidateAsync(user.Key, CancellationToken.None);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or RedisServerException)
        {
            logger.ProfileNotInvalidated(exception.Message);
        }
    }
}
