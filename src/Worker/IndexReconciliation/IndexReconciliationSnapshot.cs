using Maintenance.Worker.ForeignLayouts;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>What a pass found, in its result.</summary>
/// <param name="Dangling">Members whose session was gone before its time.</param>
/// <param name="Missing">Live sessions that their index did not have.</param>
/// <param name="WrongExpiry">Members whose score was not their session's expiry.</param>
/// <param name="Revoked">Sessions of another generation than their user's.</param>
/// <param name="Sessions">Live sessions seen.</param>
/// <param name="Users">Users with a session or an index seen.</param>
/// <param name="ServerRunId">
/// The server process that was swept, or those of a cluster's primaries with commas between: another one now means a restart or a failover, after which a
/// pass is due.
/// </param>
public sealed record IndexReconciliationSnapshot(
    long Dangling, long Missing, long WrongExpiry, long Revoked, long Sessions, long Users, string? ServerRunId)
{
    internal const char RunIdSeparator = ',';

    /// <summary>Indexes of sessions whose TTL was not their longest member's.</summary>
    public long IndexLife { get; init; }

    /// <summary>Drift of tokens, by keyspace.</summary>
    public IReadOnlyDictionary<string, TokenDrift> Tokens { get; init; } = new Dictionary<string, TokenDrift>(StringComparer.Ordinal);

    /// <summary>What was found in stores of other programs, by keyspace.</summary>
    public IReadOnlyDictionary<string, ForeignFound> Foreign { get; init; } = new Dictionary<string, ForeignFound>(StringComparer.Ordinal);
}

/// <summary>Drift of one kind of token.</summary>
/// <param name="Dangling">Members whose token was gone before its time.</param>
/// <param name="WrongExpiry">Members whose score was not their token's expiry.</param>
/// <param name="Revoked">Tokens that no index named, or of another generation than their user's.</param>
/// <param name="IndexLife">Indexes whose TTL was not their longest member's.</param>
public sealed record TokenDrift(long Dangling, long WrongExpiry, long Revoked, long IndexLife);
