using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Caching;

/// <summary>Names a cached value: of nobody in particular, or of a user, whose values one call invalidates.</summary>
public readonly record struct CacheKey
{
    /// <summary>Longest name, in characters.</summary>
    public const int MaxLength = 200;

    private CacheKey(StateKind kind, UserReference? user, string name) => (Kind, User, Name) = (kind, user, name);

    /// <summary>Whose value it is; null for nobody's.</summary>
    public UserReference? User { get; }

    /// <summary>The name; empty for a profile.</summary>
    public string Name { get; }

    internal StateKind Kind { get; }

    /// <summary>What an invalidation of all of a user reaches together; else the name.</summary>
    internal string Scope => User is { } user ? user.Value : Name;

    /// <summary>A value that belongs to no user.</summary>
    /// <param name="name">1 to 200 visible ASCII characters without braces. It stands in Redis as it is: no secret, nobody's address.</param>
    /// <exception cref="ArgumentException">Another name.</exception>
    public static CacheKey Of(string name) => new(StateKind.Cache, null, Checked(name));

    /// <summary>A value of a user.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="name">As for <see cref="Of"/>; two users may have values of the same name.</param>
    /// <exception cref="ArgumentException">Another name, or no user id.</exception>
    public static CacheKey OfUser(string userId, string name) => new(StateKind.Cache, UserReference.Of(userId), Checked(name));

    internal static CacheKey Profile(UserReference user) => new(StateKind.Profile, user, "");

    internal static CacheKey From(CacheInvalidation invalidation) => new(invalidation.Kind, invalidation.User, invalidation.Name ?? "");

    private static string Checked(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return name.Length <= MaxLength && name.All(c => c is > ' ' and <= '~' and not ('{' or '}'))
            ? name
            : throw new ArgumentException($"The name of a cached value has 1 to {MaxLength} visible ASCII characters without braces.", nameof(name));
    }
}
