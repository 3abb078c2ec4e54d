using Maintenance.Storage.Archive;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Maintenance.Archive;

/// <summary>Where the archive is. Bound from <c>Archive</c>.</summary>
public sealed class PostgresArchiveOptions
{
    /// <summary>Connection string of Npgsql; it usually holds a password, which is never logged. Without one there is no archive.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Each call of the archive ends after this time. Default 2 s; a program whose calls no request waits for may set a longer one.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>After so many calls within <see cref="BreakerWindow"/>, half of them without an answer, calls fail at once. Default 3.</summary>
    public int BreakerCalls { get; set; } = 3;

    /// <summary>See <see cref="BreakerCalls"/>. Default 10 s.</summary>
    public TimeSpan BreakerWindow { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long calls fail at once before one of them tries again. Default 5 s.</summary>
    public TimeSpan BreakerPause { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>Stops the start with the name of each wrong setting, and never repeats a connection string.</summary>
internal sealed class PostgresArchiveOptionsValidator : IValidateOptions<PostgresArchiveOptions>
{
    public ValidateOptionsResult Validate(string? name, PostgresArchiveOptions options)
    {
        List<string> failures = [];
        if (options.Deadline < TimeSpan.FromMilliseconds(50) || options.Deadline > TimeSpan.FromMinutes(1))
        {
            failures.Add($"{ArchiveOptions.Section}:Deadline is {options.Deadline}; expected 50 ms to 1 minute.");
        }

        if (options.BreakerCalls is < 2 or > 10_000)
        {
            failures.Add($"{ArchiveOptions.Section}:BreakerCalls is {options.BreakerCalls}; expected 2 to 10000.");
        }

        if (options.BreakerWindow < TimeSpan.FromSeconds(1) || options.BreakerWindow > TimeSpan.FromHours(1))
        {
            failures.Add($"{ArchiveOptions.Section}:BreakerWindow is {options.BreakerWindow}; expected 1 s to 1 hour.");
        }

        if (options.BreakerPause < TimeSpan.FromMilliseconds(500) || options.BreakerPause > TimeSpan.FromMinutes(10))
        {
            failures.Add($"{ArchiveOptions.Section}:BreakerPause is {options.BreakerPause}; expected 500 ms to 10 minutes.");
        }

        if (options.ConnectionString is { } text && !string.IsNullOrWhiteSpace(text) && !IsConnectionString(text))
        {
            failures.Add($"{ArchiveOptions.Section}:ConnectionString cannot be read; expected Host=...;Database=...;Username=...;Password=....");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static bool IsConnectionString(string text)
    {
        try
        {
            return !string.IsNullOrEmpty(new NpgsqlConnectionStringBuilder(text).Host);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or KeyNotFoundException)
        {
            return false;
        }
    }
}
