using System.Text.Json;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.WebHost.Health;

/// <summary>Counts as the worker last took them.</summary>
/// <param name="ActiveSessions">Session records.</param>
/// <param name="CachedProfiles">Cached profiles.</param>
/// <param name="BlacklistedTokens">Denylist entries.</param>
/// <param name="CountedAt">When they were counted.</param>
internal sealed record SessionStats(long ActiveSessions, long CachedProfiles, long BlacklistedTokens, DateTimeOffset? CountedAt);

/// <summary>Reads the record that the worker's job <c>keyspace-stats</c> leaves in Redis. Nothing here counts by itself: a request must not scan.</summary>
internal sealed class SessionStatistics(RedisConnection connection, RedisKeys keys, IOptions<RedisOptions> redis, TimeProvider clock)
{
    /// <summary>The worker's own name of the list; its hash tag is the job.</summary>
    internal const string ResultsOfKeyspaceStats = "results:{keyspace-stats}";

    // The newest record may be of a run that was skipped or failed, and has no figures.
    private const int Looked = 5;

    private static readonly TimeSpan Life = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private (SessionStats? Stats, long At)? last;

    /// <summary>The counts; null when the worker has left none. At most 5 s old, so that requests cost Redis nothing.</summary>
    /// <exception cref="StorageUnavailableException">Redis does not answer.</exception>
    public async Task<SessionStats?> ReadAsync(CancellationToken cancellationToken)
    {
        if (!redis.Value.Enabled)
        {
            return null;
        }

        lock (gate)
        {
            if (last is { } known && clock.GetElapsedTime(known.At) < Life)
            {
                return known.Stats;
            }
        }

        var records = await connection.CallAsync(
            database => database.ListRangeAsync(keys.Maintenance(ResultsOfKeyspaceStats), 0, Looked - 1), cancellationToken);
        var stats = records.Select(Parse).FirstOrDefault(parsed => parsed is not null);
        lock (gate)
        {
            last = (stats, clock.GetTimestamp());
        }

        return stats;
    }

    internal static SessionStats? Parse(RedisValue record)
    {
        try
        {
            using var json = JsonDocument.Parse((string?)record ?? "null");
            if (json.RootElement.ValueKind != JsonValueKind.Object
                || !json.RootElement.TryGetProperty("snapshot", out var snapshot)
                || snapshot.ValueKind != JsonValueKind.Object
                || !snapshot.TryGetProperty("kinds", out var kinds))
            {
                return null;
            }

            return new SessionStats(
                snapshot.TryGetProperty("sessions_active", out var sessions) ? sessions.GetInt64() : 0,
                Keys(kinds, StateKind.Profile),
                Keys(kinds, StateKind.DenylistEntry),
                snapshot.TryGetProperty("at", out var at) ? at.GetDateTimeOffset() : null);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            // A neighbouring version of the worker wrote it in a way that this one cannot read.
            return null;
        }
    }

    private static long Keys(JsonElement kinds, StateKind kind) =>
        kinds.TryGetProperty(kind.Label(), out var figures) && figures.TryGetProperty("keys", out var keys) ? keys.GetInt64() : 0;
}
