using FsCheck;
using FsCheck.Fluent;

namespace Maintenance.Archive.PostgresTests.Histories;

internal enum StepKind
{
    LogIn,
    Validate,
    Rotate,
    Revoke,
    RevokeOthers,
    RevokeAll,
    EvictRecord,
    EvictGeneration,
    EvictAnyKey,
    Wipe,

    /// <summary>A refresh token of a session.</summary>
    Issue,

    /// <summary>A family's last token is exchanged.</summary>
    Refresh,

    /// <summary>A family's first token is sent again, long after.</summary>
    Reuse,

    /// <summary>The same, and the host ends between Redis's answer and what it does with it.</summary>
    ReuseAndCrash,

    /// <summary>The host does not reach the archive from now on, or reaches it again.</summary>
    ArchiveAway,

    /// <summary>A copy of all that Redis holds.</summary>
    BackUp,

    /// <summary>Redis holds that copy again, and what has ended since is replayed.</summary>
    RestoreAndReplay,
}

/// <summary>One thing that happens.</summary>
/// <param name="Kind">What.</param>
/// <param name="Host">On which of two hosts.</param>
/// <param name="User">Of which of two users.</param>
/// <param name="Pick">Which of the user's sessions, or of the keys.</param>
internal sealed record Step(StepKind Kind, int Host, int User, int Pick)
{
    public bool Evicts => Kind is StepKind.EvictRecord or StepKind.EvictGeneration or StepKind.EvictAnyKey or StepKind.Wipe;

    /// <summary>Whether nothing else may happen at the same time: it is about the server, or its outcome could not be told from another's.</summary>
    public bool IsAlone => Kind is StepKind.ArchiveAway or StepKind.BackUp or StepKind.RestoreAndReplay or StepKind.Reuse or StepKind.ReuseAndCrash or StepKind.Refresh;

    public override string ToString() => $"{Kind}(host {Host}, user {User}, {Pick})";
}

/// <summary>Rounds of steps; those of one round happen at the same time.</summary>
/// <param name="Grace">How long an old id leads to the new one: over at once, or not before the history is.</param>
/// <param name="Rounds">The rounds.</param>
internal sealed record History(TimeSpan Grace, IReadOnlyList<IReadOnlyList<Step>> Rounds)
{
    private static readonly Gen<StepKind> Kinds = Gen.Frequency(
        (5, Gen.Constant(StepKind.LogIn)),
        (6, Gen.Constant(StepKind.Validate)),
        (3, Gen.Constant(StepKind.Rotate)),
        (4, Gen.Constant(StepKind.Revoke)),
        (2, Gen.Constant(StepKind.RevokeOthers)),
        (2, Gen.Constant(StepKind.RevokeAll)),
        (4, Gen.Constant(StepKind.EvictRecord)),
        (2, Gen.Constant(StepKind.EvictGeneration)),
        (4, Gen.Constant(StepKind.EvictAnyKey)),
        (2, Gen.Constant(StepKind.Wipe)),
        (4, Gen.Constant(StepKind.Issue)),
        (2, Gen.Constant(StepKind.Refresh)),
        (2, Gen.Constant(StepKind.Reuse)),
        (2, Gen.Constant(StepKind.ReuseAndCrash)),
        (4, Gen.Constant(StepKind.ArchiveAway)),
        (2, Gen.Constant(StepKind.BackUp)),
        (2, Gen.Constant(StepKind.RestoreAndReplay)));

    private static readonly Gen<Step> Steps =
        from kind in Kinds
        from host in Gen.Choose(0, 1)
        from user in Gen.Choose(0, 1)
        from pick in Gen.Choose(0, 99)
        select new Step(kind, host, user, pick);

    // Half of the rounds are one step, so that what must go on working can be told exactly.
    private static readonly Gen<History> Histories =
        from isLong in Gen.Choose(0, 1)
        from count in Gen.Choose(5, 30)
        from rounds in Gen.Frequency((1, Gen.Constant(1)), (1, Gen.Choose(2, 5))).SelectMany(steps => Steps.ListOf(steps)).ListOf(count)
        select new History(
            isLong == 1 ? TimeSpan.FromMinutes(10) : TimeSpan.FromMilliseconds(1),
            [.. rounds.Select(round => (IReadOnlyList<Step>)Together([.. round]))]);

    public static History Draw(ulong seed) => Histories.Sample(1, new Rnd(seed), 50).Single();

    private static Step[] Together(Step[] round) => round.FirstOrDefault(step => step.IsAlone) is { } alone ? [alone] : round;

    public override string ToString() => $"grace {Grace}\n" + string.Join('\n', Rounds.Select((round, i) => $"{i}: {string.Join(" | ", round)}"));
}
