using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Sessions.Repair;

/// <summary>A session that a sweep found out of step with its index.</summary>
/// <param name="Id">The session.</param>
/// <param name="SeenScore">The member's score that the sweep saw, milliseconds since 1970, whatever something else may have written there; null if it
/// saw no member. A member whose score has changed since is left alone.</param>
public readonly record struct SessionSuspect(SessionId Id, double? SeenScore);

/// <summary>What a repair may do.</summary>
public enum RepairMode
{
    /// <summary>Mend.</summary>
    Act,

    /// <summary>Only look.</summary>
    Look,

    /// <summary>Mend, but remove nothing whose time is not over: the brake has tripped, and what is harmless need not wait for it.</summary>
    Spare,
}

/// <summary>
/// What a suspect turned out to be. <see cref="Dangling"/>, <see cref="Missing"/>, <see cref="Revoked"/> and <see cref="WrongExpiry"/> are drift;
/// they and <see cref="Expired"/> were mended unless it was a dry run.
/// </summary>
public enum DriftVerdict
{
    /// <summary>Nothing is wrong (any more).</summary>
    Right,

    /// <summary>A member whose time is over and whose session is gone, as happens by itself; removed.</summary>
    Expired,

    /// <summary>A member whose session is gone before its time; removed.</summary>
    Dangling,

    /// <summary>A live session that its index did not have; put back.</summary>
    Missing,

    /// <summary>A session of an older generation, or of a user without one; removed.</summary>
    Revoked,

    /// <summary>A member whose score is not its session's expiry; set right.</summary>
    WrongExpiry,

    /// <summary>It needs a write that a full Redis refused; left as it was.</summary>
    Refused,

    /// <summary>The member changed since the sweep saw it; left alone.</summary>
    Changed,

    /// <summary>A record of a newer format; left alone.</summary>
    UnknownVersion,

    /// <summary>A key with our name and another's content; left alone.</summary>
    Foreign,
}

/// <summary>Verdicts in the order of the suspects.</summary>
/// <param name="Verdicts">One a suspect.</param>
/// <param name="IndexRebuilt">The whole index had been lost and exists again (or would, in a dry run).</param>
public sealed record ReconcileResult(IReadOnlyList<DriftVerdict> Verdicts, bool IndexRebuilt);

/// <summary>What an index's TTL turned out to be.</summary>
public enum IndexLifeVerdict
{
    /// <summary>As long as its longest session.</summary>
    Right,

    /// <summary>The index is gone, or is something else's key.</summary>
    Gone,

    /// <summary>Shorter or longer; set right.</summary>
    WrongExpiry,

    /// <summary>It had none; given one.</summary>
    MissingTtl,
}

/// <summary>What a key without a TTL turned out to be.</summary>
public enum MissingTtlVerdict
{
    /// <summary>It has one by now, or is gone.</summary>
    Right,

    /// <summary>It was given one.</summary>
    Repaired,

    /// <summary>Its time was over, or the policy says so; removed.</summary>
    Removed,

    /// <summary>A record of a newer format; left alone.</summary>
    UnknownVersion,

    /// <summary>A key with our name and another's content; left alone.</summary>
    Foreign,
}

/// <summary>What was found among an index's members that are past their time.</summary>
/// <param name="Dropped">Session gone: removed.</param>
/// <param name="Mended">Session alive: its score was wrong.</param>
/// <param name="LookedAt">Members past their time that were looked at. Those neither dropped nor mended stay: a full Redis refused, or only
/// their record's TTL must be mended first.</param>
public readonly record struct ExpiredMembers(int Dropped, int Mended, int LookedAt);

/// <summary>The repair scripts. A test may replace one to plant a fault.</summary>
internal sealed record RepairScripts
{
    public static RepairScripts Default { get; } = new();

    public RedisScript Reconcile { get; init; } = Load("reconcile");

    public RedisScript IndexLife { get; init; } = Load("index_life");

    public RedisScript ExpireMembers { get; init; } = Load("expire_members");

    public RedisScript MissingTtl { get; init; } = Load("missing_ttl");

    public RedisScript StripDetails { get; init; } = Load("strip_details");

    private static RedisScript Load(string name) =>
        RedisScript.Load(typeof(RepairScripts).Assembly, $"Sessions/Repair/{name}.lua");
}
