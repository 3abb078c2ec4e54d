namespace Maintenance.Storage.Histories.Truth;

/// <summary>Which promise was broken.</summary>
internal enum ViolationKind
{
    /// <summary>A session answered although its end had been confirmed before the question was asked.</summary>
    DeadSessionAnswers,

    /// <summary>A session that nothing can have ended was denied.</summary>
    LiveSessionDenied,

    /// <summary>A live session is not in its index although nobody damaged that.</summary>
    LiveSessionNotInIndex,

    /// <summary>The index holds a session that was ended properly, or that never was.</summary>
    GhostInIndex,

    /// <summary>A pass on a still store ended a live session.</summary>
    PassEndedSession,

    /// <summary>After a pass on a still store something still disagrees.</summary>
    PassLeftDamage,

    /// <summary>A key without a TTL that nobody took away.</summary>
    KeyWithoutTtl,

    /// <summary>One user's token or id reached another's session.</summary>
    AcrossUsers,

    /// <summary>A session has no successor after a rotation, or two, or the wrong one.</summary>
    WrongSuccessor,

    /// <summary>No order of the calls, each at one moment between its beginning and its answer, explains the answers.</summary>
    Unexplained,

    /// <summary>A call failed.</summary>
    CallFailed,
}

/// <summary>A broken promise; ends the history.</summary>
internal sealed class ViolationException(ViolationKind kind, string message) : Exception($"{kind}: {message}")
{
    public ViolationKind Kind { get; } = kind;
}
