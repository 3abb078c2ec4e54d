using Maintenance.WebHost.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Maintenance.WebHost.Database;

/// <summary>Where users are kept.</summary>
internal enum DatabaseProvider
{
    /// <summary>PostgreSQL when a connection string is set, else memory in Development.</summary>
    Auto,

    PostgreSql,

    /// <summary>This process's memory: gone at its end, and no other host sees it.</summary>
    Memory,
}

/// <summary>The user database. Bound from <c>Database</c>; <c>DATABASE_URL</c> ranks below.</summary>
internal sealed class DatabaseOptions
{
    public const string Section = "Database";

    /// <summary>Default <see cref="DatabaseProvider.Auto"/>.</summary>
    public DatabaseProvider Provider { get; set; }

    /// <summary>As Npgsql has it, or <c>postgres://user:password@host:port/database</c> (environment: <c>DATABASE_URL</c>).</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Longest wait for a connection. 1 s to 1 min; default 3 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Longest wait for one answer. 1 s to 1 min; default 5 s.</summary>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(5);

    internal bool UsesPostgres => Provider == DatabaseProvider.PostgreSql || (Provider == DatabaseProvider.Auto && !string.IsNullOrEmpty(ConnectionString));

    /// <summary>The connection string for Npgsql, with the timeouts of this section.</summary>
    /// <exception cref="FormatException">It cannot be read. The message holds none of it: it may contain a password.</exception>
    internal string ToNpgsql()
    {
        var text = ConnectionString ?? throw new FormatException("is missing");
        NpgsqlConnectionStringBuilder builder;
        try
        {
            builder = text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase)
                ? OfUrl(new Uri(text))
                : new NpgsqlConnectionStringBuilder(text);
        }
        catch (Exception exception) when (exception is ArgumentException or UriFormatException or FormatException)
        {
            // The cause quotes the text, and it may hold a password.
#pragma warning disable MA0054
            throw new FormatException("is neither a connection string of Npgsql nor a postgres:// URL");
#pragma warning restore MA0054
        }

        if (string.IsNullOrEmpty(builder.Host))
        {
            throw new FormatException("names no host");
        }

        builder.Timeout = (int)ConnectTimeout.TotalSeconds;
        builder.CommandTimeout = (int)CommandTimeout.TotalSeconds;
        // Nothing here leaves anything behind in a connection: no SET, no lock outside a transaction. So none is reset before each use, which is a command more a query.
        builder.NoResetOnClose = true;
        builder.ApplicationName ??= "maintenance-webhost";
        return builder.ConnectionString;
    }

    private static NpgsqlConnectionStringBuilder OfUrl(Uri url)
    {
        var builder = new NpgsqlConnectionStringBuilder { Host = url.Host, Port = url.IsDefaultPort || url.Port < 0 ? 5432 : url.Port };
        var credentials = url.UserInfo.Split(':', 2);
        if (credentials[0].Length > 0)
        {
            builder.Username = Uri.UnescapeDataString(credentials[0]);
        }

        if (credentials.Length == 2)
        {
            builder.Password = Uri.UnescapeDataString(credentials[1]);
        }

        if (url.AbsolutePath.Length > 1)
        {
            builder.Database = Uri.UnescapeDataString(url.AbsolutePath[1..]);
        }

        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            builder[parts[0] == "sslmode" ? "SSL Mode" : parts[0]] = parts.Length == 2 ? Uri.UnescapeDataString(parts[1]) : "";
        }

        return builder;
    }
}

internal sealed class DatabaseOptionsValidator(IHostEnvironment environment) : IValidateOptions<DatabaseOptions>
{
    private const string Names = "ConnectionString (or DATABASE_URL)";

    public ValidateOptionsResult Validate(string? name, DatabaseOptions options)
    {
        var failures = new SettingFailures(DatabaseOptions.Section);
        failures.Check(Enum.IsDefined(options.Provider), "Provider", $"is {options.Provider}; expected Auto, PostgreSql or Memory");
        if (options.UsesPostgres)
        {
            try
            {
                options.ToNpgsql();
            }
            catch (FormatException exception)
            {
                failures.Check(false, Names, exception.Message);
            }
        }
        else
        {
            failures.Check(
                options.Provider == DatabaseProvider.Memory || environment.IsDevelopment(),
                Names,
                "is not set; users would be kept in memory only, which Database:Provider=Memory asks for and Development does by itself");
        }

        failures.Check(Within(options.ConnectTimeout), "ConnectTimeout", $"is {options.ConnectTimeout}; expected 1 s to 1 min");
        failures.Check(Within(options.CommandTimeout), "CommandTimeout", $"is {options.CommandTimeout}; expected 1 s to 1 min");
        return failures.Result;
    }

    private static bool Within(TimeSpan time) => time >= TimeSpan.FromSeconds(1) && time <= TimeSpan.FromMinutes(1);
}
