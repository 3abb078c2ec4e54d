using Maintenance.Storage.Sessions.Repair;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>How far a pass is and what it has found; kept in Redis between partitions, so that an interrupted pass goes on where it was.</summary>
internal sealed class PassState
{
    /// <summary>First hash tag that is not done.</summary>
    public int NextTag { get; set; }

    /// <summary>The server on which the pass began; null if it does not say.</summary>
    public string? ServerRunId { get; set; }

    /// <summary>Session keys in the whole store, as the last partition's scan saw them; null before the first.</summary>
    public long? SessionsInStore { get; set; }

    /// <summary>Live sessions compared.</summary>
    public long Sessions { get; set; }

    /// <summary>Users compared.</summary>
    public long Users { get; set; }

    /// <summary>Index members and sessions that no index names: what the brake's share is of.</summary>
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

    /// <summary>The figures for the metrics.</summary>
    public IndexReconciliationSnapshot ToSnapshot() => new(Dangling, Missing, WrongExpiry, Revoked, Sessions, Users, ServerRunId);
}
