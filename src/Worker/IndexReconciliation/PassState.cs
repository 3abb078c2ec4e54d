using System.Text.Json.Serialization;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Worker.Keyspace;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>How far a pass is and what it has found; kept in Redis between partitions, so that an interrupted pass goes on where it was.</summary>
internal sealed class PassState
{
    /// <summary>First hash tag that is not done.</summary>
    public int NextTag { get; set; }

    /// <summary>The server on which the pass began; null if it does not say.</summary>
    public string? ServerRunId { get; set; }

    /// <summary>Keys of sessions and tokens in the whole store, as the last partition's scan saw them; null before the first.</summary>
    public long? RecordsInStore { get; set; }

    /// <summary>Session keys that the first partition's scan saw; 0 for a pass that was resumed.</summary>
    [JsonIgnore]
    public long SessionKeys { get; set; }

    /// <summary>Another prefix under which that scan saw sessions.</summary>
    [JsonIgnore]
    public string? OtherPrefix { get; set; }

    /// <summary>What was found, by keyspace.</summary>
    public Dictionary<string, KeyspaceState> Keyspaces { get; init; } = new(StringComparer.Ordinal);

    /// <summary>What was found in one keyspace; made if there is none yet.</summary>
    public KeyspaceState Of(string keyspace)
    {
        if (!Keyspaces.TryGetValue(keyspace, out var state))
        {
            Keyspaces[keyspace] = state = new KeyspaceState();
        }

        return state;
    }

    /// <summary>The passes over the primaries of a cluster as one.</summary>
    public static PassState Sum(IReadOnlyList<PassState> passes)
    {
        if (passes.Count == 1)
        {
            return passes[0];
        }

        var sum = new PassState { ServerRunId = string.Join(IndexReconciliationSnapshot.RunIdSeparator, passes.Select(pass => pass.ServerRunId).OfType<string>()) };
        foreach (var (keyspace, found) in passes.SelectMany(pass => pass.Keyspaces))
        {
            sum.Of(keyspace).Add(found);
        }

        return sum;
    }

    /// <summary>The figures for the metrics.</summary>
    public IndexReconciliationSnapshot ToSnapshot()
    {
        var sessions = Of(SweepMetrics.Native);
        return new IndexReconciliationSnapshot(
            sessions.Dangling, sessions.Missing, sessions.WrongExpiry, sessions.Revoked, sessions.Sessions, sessions.Users, ServerRunId)
        {
            IndexLife = sessions.IndexLife,
            Tokens = Keyspaces.Where(keyspace => keyspace.Key != SweepMetrics.Native).ToDictionary(
                keyspace => keyspace.Key,
                keyspace => new TokenDrift(keyspace.Value.Dangling, keyspace.Value.WrongExpiry, keyspace.Value.Revoked, keyspace.Value.IndexLife),
                StringComparer.Ordinal),
        };
    }
}

/// <summary>What a pass has found in one keyspace.</summary>
internal sealed class KeyspaceState
{
    /// <summary>Live sessions or tokens compared.</summary>
    public long Sessions { get; set; }

    /// <summary>Users compared.</summary>
    public long Users { get; set; }

    /// <summary>Index members and records that no index names: what the brake's share is of.</summary>
    public long Items { get; set; }

    /// <summary>Removals that scripts confirmed.</summary>
    public long Removed { get; set; }

    /// <summary>Drift of this kind, confirmed.</summary>
    public long Dangling { get; set; }

    /// <inheritdoc cref="Dangling"/>
    public long Missing { get; set; }

    /// <inheritdoc cref="Dangling"/>
    public long WrongExpiry { get; set; }

    /// <inheritdoc cref="Dangling"/>
    public long Revoked { get; set; }

    /// <summary>Indexes whose TTL was not their longest member's.</summary>
    public long IndexLife { get; set; }

    /// <summary>Adds what was found on another server.</summary>
    public void Add(KeyspaceState other)
    {
        Sessions += other.Sessions;
        Users += other.Users;
        Items += other.Items;
        Removed += other.Removed;
        Dangling += other.Dangling;
        Missing += other.Missing;
        WrongExpiry += other.WrongExpiry;
        Revoked += other.Revoked;
        IndexLife += other.IndexLife;
    }

    /// <summary>Counts a verdict.</summary>
    public void Count(DriftVerdict verdict)
    {
        switch (verdict)
        {
            case DriftVerdict.Dangling:
                Dangling++;
                Removed++;
                break;
            case DriftVerdict.Missing:
                Missing++;
                break;
            case DriftVerdict.Revoked:
                Revoked++;
                Removed++;
                break;
            case DriftVerdict.WrongExpiry:
                WrongExpiry++;
                break;
        }
    }
}
