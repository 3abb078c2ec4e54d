using System.Text.Json;
using StackExchange.Redis;

namespace Maintenance.Worker.ForeignLayouts;

/// <summary>What a session's key says.</summary>
/// <param name="LifeMilliseconds">As PTTL says: -1 without an end, -2 gone.</param>
/// <param name="User">Whose it is; null if it says nobody.</param>
/// <param name="Unreadable">The value is of another type, no JSON, or too long.</param>
internal readonly record struct ForeignValue(long LifeMilliseconds, string? User, bool Unreadable)
{
    // More than a session of any of these programs; a value that somebody blew up must not fill the worker's memory.
    private const int LongestValueBytes = 64 * 1024;

    /// <summary>PTTL of a key that is not there.</summary>
    public const long Gone = -2;

    /// <summary>PTTL of a key that has none.</summary>
    public const long Endless = -1;

    /// <summary>Reads one, in the flush of whoever calls.</summary>
    public static async Task<ForeignValue> ReadAsync(IDatabaseAsync database, ForeignName name)
    {
        // In this order a session that ends between the two is gone, and not one that never had a user.
        var value = UserAsync(database, name);
        var life = database.ExecuteAsync("PTTL", (RedisKey)name.Key);
        var (user, unreadable) = await value;
        return new ForeignValue((long)await life, user, unreadable);
    }

    private static async Task<(string? User, bool Unreadable)> UserAsync(IDatabaseAsync database, ForeignName name)
    {
        var options = name.Space.Options;
        try
        {
            switch (options.User)
            {
                case UserSource.Name:
                    return (name.User, false);
                case UserSource.Hash:
                    byte[]? field = await database.HashGetAsync(name.Key, options.UserPath);
                    var user = ValueText.Decode(field, options.Encoding);
                    return (string.IsNullOrEmpty(user) ? null : user, field is not null && user is null);
                case UserSource.Json:
                    byte[]? json = await database.StringGetRangeAsync(name.Key, 0, LongestValueBytes - 1);
                    return json is not { Length: > 0 } ? (null, false) : json.Length == LongestValueBytes ? (null, true) : OfJson(json, options.UserPath);
                default:
                    return (null, false);
            }
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            return (null, true);
        }
    }

    private static (string? User, bool Unreadable) OfJson(byte[] json, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var element = document.RootElement;
            foreach (var property in path.Split('.'))
            {
                if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(property, out element))
                {
                    return (null, false);
                }
            }

            return element.ValueKind switch
            {
                JsonValueKind.String when element.GetString() is { Length: > 0 } text => (text, false),
                JsonValueKind.Number => (element.GetRawText(), false),
                _ => (null, false),
            };
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is not UTF-16 (a lone surrogate).
            return (null, true);
        }
    }
}
