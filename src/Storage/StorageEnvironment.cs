using System.Globalization;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Configuration;

namespace Maintenance.Storage;

/// <summary>
/// The environment names of the backends that this library replaces, as defaults below our own settings. A value that cannot be read stops the
/// start with the variable's name.
/// </summary>
internal static class StorageEnvironment
{
    /// <summary>Applies what the environment names to the Redis options.</summary>
    public static void Apply(RedisOptions options, IConfiguration configuration)
    {
        // A URL wins over single settings, so one from below must not beat a host from above.
        if (configuration[$"{RedisOptions.Section}:{nameof(RedisOptions.Host)}"] is null)
        {
            Text(configuration, "REDIS_URL", value => options.Url = value);
        }

        Text(configuration, "REDIS_HOST", value => options.Host = value);
        // Kubernetes puts REDIS_PORT=tcp://10.0.0.1:6379 into every pod beside a Service called redis; that is not the operator's word.
        if (configuration["REDIS_PORT"]?.StartsWith("tcp://", StringComparison.Ordinal) != true)
        {
            Number(configuration, "REDIS_PORT", value => options.Port = value);
        }

        Text(configuration, "REDIS_PASSWORD", value => options.Password = value);
        Number(configuration, "REDIS_DB", value => options.Database = value);
        Text(configuration, "REDIS_ENABLED", value => options.Enabled = bool.TryParse(value, out var enabled)
            ? enabled
            : throw Wrong("REDIS_ENABLED", value, "true or false"));
    }

    /// <summary>Applies what the environment names to the session options.</summary>
    public static void Apply(SessionOptions options, IConfiguration configuration) =>
        Number(configuration, "SESSION_TTL", seconds =>
        {
            options.SlidingExpiration = TimeSpan.FromSeconds(seconds);
            // The older backends had one life; a longer sliding one lengthens the absolute one with it.
            if (options.AbsoluteExpiration < options.SlidingExpiration)
            {
                options.AbsoluteExpiration = options.SlidingExpiration;
            }
        });

    /// <summary>Applies what the environment names to the lifetimes of tokens.</summary>
    public static void Apply(TokenLifetimeOptions options, IConfiguration configuration)
    {
        Number(configuration, "REFRESH_TOKEN_TTL_DAYS", days => options.RefreshToken = Life("REFRESH_TOKEN_TTL_DAYS", days, TimeSpan.FromDays(1)));
        Text(configuration, "REFRESH_TOKEN_EXPIRY", text =>
        {
            var expiry = Life("REFRESH_TOKEN_EXPIRY", text);
            // Two names for one setting: which of two values is meant, nobody can know.
            options.RefreshToken = configuration["REFRESH_TOKEN_TTL_DAYS"] is not { Length: > 0 } days || expiry == options.RefreshToken
                ? expiry
                : throw Wrong("REFRESH_TOKEN_EXPIRY", text, $"the same life as REFRESH_TOKEN_TTL_DAYS, which is {days}, or only one of them");
        });
        Number(configuration, "RESET_TOKEN_TTL_HOURS", hours => options.PasswordReset = Life("RESET_TOKEN_TTL_HOURS", hours, TimeSpan.FromHours(1)));
        Number(configuration, "MFA_TOKEN_TTL_MINUTES", minutes => options.TwoFactorChallenge = Life("MFA_TOKEN_TTL_MINUTES", minutes, TimeSpan.FromMinutes(1)));
    }

    private static TimeSpan Life(string name, string text)
    {
        var unit = text[^1] switch
        {
            's' => TimeSpan.FromSeconds(1),
            'm' => TimeSpan.FromMinutes(1),
            'h' => TimeSpan.FromHours(1),
            'd' => TimeSpan.FromDays(1),
            _ => TimeSpan.Zero,
        };
        return unit > TimeSpan.Zero && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? Life(name, number, unit)
            : throw Wrong(name, text, "a whole number and a unit, as 7d, 24h, 30m or 900s");
    }

    private static TimeSpan Life(string name, int number, TimeSpan unit) =>
        number <= TimeSpan.MaxValue / unit ? number * unit : throw Wrong(name, $"{number}", "a shorter life");

    private static int? Number(IConfiguration configuration, string name)
    {
        var text = configuration[name];
        return string.IsNullOrEmpty(text)
            ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw Wrong(name, text, "a whole number");
    }

    private static void Number(IConfiguration configuration, string name, Action<int> apply)
    {
        if (Number(configuration, name) is { } number)
        {
            apply(number);
        }
    }

    private static void Text(IConfiguration configuration, string name, Action<string> apply)
    {
        if (configuration[name] is { Length: > 0 } text)
        {
            apply(text);
        }
    }

    private static InvalidOperationException Wrong(string name, string value, string expected) =>
        new($"{name} is '{value}'; expected {expected}.");
}
