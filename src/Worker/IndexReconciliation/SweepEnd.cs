namespace Maintenance.Worker.IndexReconciliation;

/// <summary>How the sweep of a partition ended.</summary>
internal enum SweepEnd
{
    /// <summary>Its suspects are known.</summary>
    Complete,

    /// <summary>The server is not the one any more on which the pass began: what the scan saw is worth nothing.</summary>
    AnotherServer,

    /// <summary>The server does not allow SCAN.</summary>
    Refused,
}
