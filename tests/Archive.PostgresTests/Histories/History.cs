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
}

/// <summary>One thing that happens.</summary>
/// <param name="Kind">What.</param>
/// <param name="Host">On which of two hosts.</param>
/// <param name="User">Of which of two users.</param>
/// <param name="Pick">Which of the user's sessions, or of the keys.</param>
internal sealed record Step(StepKind Kind, int Host, int User, int Pick)
{
    public bool Evicts => Kind >= StepKind.EvictRecord;

    public override string ToString() => $"{Kind}(host {Host}, user {User}, {Pick})";
}

/// <summary>Rounds of steps; those of one round happen at the same time.</summary>
internal sealed record History(IReadOnlyList<IReadOnlyList<Step>> Rounds)
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
        (2, Gen.Constant(StepKind.Wipe)));

    private static readonly Gen<Step> Steps =
        from kind in Kinds
        from host in Gen.Choose(0, 1)
        from user in Gen.Choose(0, 1)
        from pick in Gen.Choose(0, 99)
        select new Step(kind, host, user, pick);

    // Half of the rounds are one step, so that what must go on working can be told exactly.
    private static readonly Gen<History> Histories =
        from count in Gen.Choose(5, 25)
        from rounds in Gen.Frequency((1, Gen.Constant(1)), (1, Gen.Choose(2, 5))).SelectMany(steps => Steps.ListOf(steps)).ListOf(count)
        select new History([.. rounds.Select(round => (IReadOnlyList<Step>)[.. round])]);

    public static History Draw(ulong seed) => Histories.Sample(1, new Rnd(seed), 50).Single();

    public override string ToString() => string.Join('\n', Rounds.Select((round, i) => $"{i}: {string.Join(" | ", round)}"));
}
