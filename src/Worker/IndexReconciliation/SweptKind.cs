using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Storage.Tokens;
using Maintenance.Storage.Tokens.Repair;
using Maintenance.Worker.Keyspace;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>A kind of record with an index a user, by expiry: what a pass makes agree, and by which scripts.</summary>
internal sealed class SweptKind
{
    /// <summary>The metrics' label, and part of the counts' names for all but sessions.</summary>
    public required string Keyspace { get; init; }

    /// <summary>The kind of the records' keys.</summary>
    public required StateKind Record { get; init; }

    /// <summary>The kind of the indexes' keys.</summary>
    public required StateKind Index { get; init; }

    /// <summary>The key of a user's index.</summary>
    public required Func<UserReference, string> IndexKey { get; init; }

    /// <summary>Looks again at a user's suspects, and mends.</summary>
    public required Func<UserReference, IReadOnlyList<SessionSuspect>, RepairMode, CancellationToken, Task<ReconcileResult>> ReconcileAsync { get; init; }

    /// <summary>Looks again at an index's TTL, and mends it unless told only to look.</summary>
    public required Func<UserReference, bool, CancellationToken, Task<IndexLifeVerdict>> MendIndexLifeAsync { get; init; }

    /// <summary>Sessions first, then every kind of token.</summary>
    public static IReadOnlyList<SweptKind> All(RedisKeys keys, SessionRepair sessions, TokenRepair tokens) =>
    [
        new()
        {
            Keyspace = SweepMetrics.Native,
            Record = StateKind.Session,
            Index = StateKind.SessionIndex,
            IndexKey = keys.SessionIndex,
            ReconcileAsync = sessions.ReconcileAsync,
            MendIndexLifeAsync = sessions.MendIndexLifeAsync,
        },
        .. TokenKind.All.Select(kind => new SweptKind
        {
            Keyspace = kind.Keyspace,
            Record = kind.Record,
            Index = kind.IndexKind,
            IndexKey = user => kind.Index(keys, user),
            ReconcileAsync = (user, suspects, mode, cancellationToken) => tokens.ReconcileAsync(kind, user, suspects, mode, cancellationToken),
            MendIndexLifeAsync = (user, dryRun, cancellationToken) => tokens.MendIndexLifeAsync(kind, user, dryRun, cancellationToken),
        }),
    ];
}
