using System.Text.Json;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>Keeps a pass's state in Redis between its partitions.</summary>
/// <param name="connection">Where the cursor is kept.</param>
/// <param name="keys">Its name.</param>
/// <param name="node">The node of a cluster that is swept; null for a single server.</param>
/// <param name="report">Says when it could not be kept.</param>
internal sealed class PassCursor(RedisConnection connection, RedisKeys keys, string? node, JobReport report)
{
    private readonly string key = keys.Maintenance($"cursor:{JobNames.IndexReconciliation}{(node is null ? "" : ":" + node)}");

    /// <summary>The interrupted pass on this server; null if there is none, or the server is another by now.</summary>
    public async Task<PassState?> ReadAsync(string? serverRunId, CancellationToken cancellationToken)
    {
        string? text;
        try
        {
            text = await connection.CallAsync(database => database.StringGetAsync(key), cancellationToken, KeyspaceScan.DeadlineOf(connection));
        }
        catch (StorageUnavailableException) when (node is not null)
        {
            // On a cluster it may lie on the primary that is away, and the one that is swept is another.
            return null;
        }

        if (text is null)
        {
            return null;
        }

        try
        {
            var state = JsonSerializer.Deserialize<PassState>(text, JobResultJson.Options);
            return state is { NextTag: > 0 and < TagRange.Tags } && state.ServerRunId == serverRunId ? state : null;
        }
        catch (JsonException)
        {
            // Another version's; its pass begins anew.
            return null;
        }
    }

    /// <summary>Keeps the state. A full Redis refuses it, which costs only the resuming.</summary>
    public async Task SaveAsync(PassState state, TimeSpan life, CancellationToken cancellationToken)
    {
        try
        {
            var text = JsonSerializer.Serialize(state, JobResultJson.Options);
            await connection.CallAsync(database => database.StringSetAsync(key, text, life), cancellationToken, KeyspaceScan.DeadlineOf(connection));
        }
        catch (StorageUnavailableException exception) when (exception.Reason == UnavailableReason.OutOfMemory || node is not null)
        {
            report.Warn("Redis is full, or the cursor's primary is away: the progress of this pass could not be kept; if it is interrupted, it begins anew.");
        }
    }

    /// <summary>Forgets it, at the end of a pass.</summary>
    public async Task ClearAsync(CancellationToken cancellationToken)
    {
        try
        {
            await connection.CallAsync(database => database.KeyDeleteAsync(key), cancellationToken, KeyspaceScan.DeadlineOf(connection));
        }
        catch (StorageUnavailableException) when (node is not null)
        {
            // It ends by its own life.
        }
    }
}
