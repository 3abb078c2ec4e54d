using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Worker.Scheduling;

/// <summary>A pause of all jobs on all replicas.</summary>
/// <param name="By">Who asked for it.</param>
/// <param name="Until">When it ends by itself; null for the setting <c>Jobs:Paused</c>.</param>
public sealed record Pause(string By, DateTimeOffset? Until)
{
    /// <summary>For results and logs.</summary>
    public string Reason => Until is { } until ? $"paused by {By} until {until:u}" : $"paused by {By}";
}

/// <summary>The global pause: the setting <c>Jobs:Paused</c>, or a key in Redis that always has an end.</summary>
public sealed class PauseState(
    RedisConnection connection, RedisKeys keys, IOptionsMonitor<JobsOptions> options, TimeProvider timeProvider, ILogger<PauseState> logger)
{
    /// <summary>Longest pause; a forgotten one must not last for ever.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    // The key is a pause whatever it says; removing it ends it.
    private static readonly Pause Unreadable = new("an unreadable key", null);

    private string Key => keys.Maintenance("pause");

    /// <summary>Reads the length of a pause, for the command line and the API alike.</summary>
    /// <param name="text"><c>hh:mm:ss</c> or <c>d.hh:mm:ss</c>.</param>
    /// <param name="length">The length.</param>
    /// <param name="problem">What is wrong with it.</param>
    public static bool TryParseLength(string text, out TimeSpan length, [NotNullWhen(false)] out string? problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        // A bare number would be days, which nobody means.
        if (TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out length)
            && text.Contains(':', StringComparison.Ordinal)
            && length > TimeSpan.Zero
            && length <= Longest)
        {
            problem = null;
            return true;
        }

        problem = $"{text}: expected hh:mm:ss or d.hh:mm:ss, above 0 and at most {Longest}.";
        return false;
    }

    /// <summary>The pause in force, or null.</summary>
    /// <exception cref="StorageUnavailableException">Redis did not answer.</exception>
    /// <exception cref="RedisServerException">Redis refused the command.</exception>
    public async Task<Pause?> GetAsync(CancellationToken cancellationToken)
    {
        if (options.CurrentValue.Paused)
        {
            return new Pause("setting Jobs:Paused", null);
        }

        var text = (string?)await connection.CallAsync(database => database.StringGetAsync(Key), cancellationToken);
        if (text is null)
        {
            return null;
        }

        try
        {
            // "null" and "{}" can be read and say nothing.
            return JsonSerializer.Deserialize<Pause>(text, JobResultJson.Options) is { By: not null } pause ? pause : Unreadable;
        }
        catch (JsonException)
        {
            return Unreadable;
        }
    }

    /// <summary>Pauses every job; a later pause replaces an earlier one. Runs under way end as they would.</summary>
    public async Task<Pause> SetAsync(TimeSpan length, string by, CancellationToken cancellationToken)
    {
        var pause = new Pause(by, timeProvider.GetUtcNow() + length);
        RedisValue json = JsonSerializer.Serialize(pause, JobResultJson.Options);
        await connection.CallAsync(database => database.StringSetAsync(Key, json, length), cancellationToken);
        logger.Paused($"{pause.Until:u}", by);
        return pause;
    }

    /// <summary>Ends the pause in Redis.</summary>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> EndAsync(string by, CancellationToken cancellationToken)
    {
        var removed = await connection.CallAsync(database => database.KeyDeleteAsync(Key), cancellationToken);
        if (removed)
        {
            logger.Resumed(by);
        }

        return removed;
    }
}
