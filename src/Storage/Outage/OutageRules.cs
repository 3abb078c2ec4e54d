namespace Maintenance.Storage.Outage;

/// <summary>The rules that an outage is survived by. One is false only in a test that proves that it would be missed.</summary>
internal sealed record OutageRules
{
    public static OutageRules Default { get; } = new();

    /// <summary>Journalled revocations are carried out in Redis.</summary>
    public bool Replays { get; init; } = true;

    /// <summary>They are carried out before Redis is read.</summary>
    public bool ReplaysFirst { get; init; } = true;

    /// <summary>What began after a journalled revocation lives on.</summary>
    public bool ReplayComparesTimes { get; init; } = true;

    /// <summary>What waits in the journal is denied on this host, whatever Redis says.</summary>
    public bool DeniesPending { get; init; } = true;

    /// <summary>A session is moved only if it was born after the user's generation.</summary>
    public bool MoveComparesGenerations { get; init; } = true;
}
