using Maintenance.Storage.Caching;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Profiles;

/// <summary>
/// The profiles of users, as far as they may be cached: fields by name, and only names that <see cref="ProfileOptions.Fields"/> allows.
/// A value is a text, so that no field can hide others inside.
/// </summary>
public sealed class ProfileCache(AuthCache cache, IOptionsMonitor<ProfileOptions> options)
{
    /// <summary>The cached profile, or what the source gives. A cache in trouble never fails it.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="load">Reads the profile from the source, only fields that are allowed; null: there is no such user.</param>
    /// <param name="cancellationToken">Ends this caller's wait.</param>
    /// <returns>The fields; null when there is no such user.</returns>
    /// <exception cref="ProfileFieldException">The source gave a field that is not allowed. Nothing was stored, and every waiter gets this.</exception>
    public async Task<IReadOnlyDictionary<string, string?>?> GetOrLoadAsync(
        string userId, Func<CancellationToken, Task<IReadOnlyDictionary<string, string?>?>> load, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(load);
        var current = options.CurrentValue;
        var allowed = new HashSet<string>(current.AllowedFields, StringComparer.Ordinal);
        var found = await cache.GetOrCreateAsync<Dictionary<string, string?>>(
            CacheKey.Profile(UserReference.Of(userId)),
            async token => await load(token).ConfigureAwait(false) is { } profile ? Checked(profile, allowed) : null,
            cancellationToken,
            current.Life).ConfigureAwait(false);
        // What another setting allowed when it was stored does not come out under this one.
        return found.Value?.Where(field => allowed.Contains(field.Key)).ToDictionary(StringComparer.Ordinal);
    }

    /// <summary>Makes every host forget a profile; to be called after it changed.</summary>
    /// <exception cref="StorageUnavailableException">This host has forgotten it; the others may answer with it until its life ends.</exception>
    public Task InvalidateAsync(string userId, CancellationToken cancellationToken) =>
        cache.InvalidateAsync(CacheKey.Profile(UserReference.Of(userId)), cancellationToken);

    private static Dictionary<string, string?> Checked(IReadOnlyDictionary<string, string?> profile, HashSet<string> allowed) =>
        profile.Keys.FirstOrDefault(name => !allowed.Contains(name)) is { } refused
            ? throw new ProfileFieldException(refused)
            : profile.ToDictionary(StringComparer.Ordinal);
}

/// <summary>A profile had a field that may not be cached.</summary>
public sealed class ProfileFieldException(string field)
    : ArgumentException($"The field '{field}' may not be cached: it is not in {ProfileOptions.Section}:{nameof(ProfileOptions.Fields)}.")
{
    /// <summary>Name of the field; its value is nowhere.</summary>
    public string Field { get; } = field;
}
