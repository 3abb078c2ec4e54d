namespace Maintenance.Worker.IndexReconciliation;

/// <summary>What a pass found, in its result.</summary>
/// <param name="Dangling">Members whose session was gone before its time.</param>
/// <param name="Missing">Live sessions that their index did not have.</param>
/// <param name="WrongExpiry">Members whose score was not their session's expiry, and indexes whose TTL was not their longest member's.</param>
/// <param name="Revoked">Sessions of another generation than their user's.</param>
/// <param name="Sessions">Live sessions seen.</param>
/// <param name="Users">Users with a session or an index seen.</param>
/// <param name="ServerRunId">The server process that was swept: another one now means a restart or a failover, after which a pass is due.</param>
public sealed record IndexReconciliationSnapshot(
    long Dangling, long Missing, long WrongExpiry, long Revoked, long Sessions, long Users, string? ServerRunId);
