using FsCheck;
using FsCheck.Fluent;

namespace Maintenance.Storage.OutageTests.Histories;

/// <summary>What happens in a step.</summary>
internal enum StepKind
{
    LogIn,
    Validate,
    Rotate,
    Revoke,
    RevokeAll,

    /// <summary>The host looks whether Redis is back, and does what it finds to do.</summary>
    Look,

    /// <summary>The host's process ends and another one begins with its journal.</summary>
    RestartHost,

    /// <summary>SIGKILL.</summary>
    Kill,

    /// <summary>SIGSTOP.</summary>
    Pause,

    /// <summary>Goes on, or is started again.</summary>
    Revive,

    /// <summary>FLUSHALL.</summary>
    Wipe,

    /// <summary>Redis refuses writes from now on, or takes them again.</summary>
    RefuseWrites,
}

/// <summary>A step of one host, or of the server.</summary>
/// <param name="Kind">What.</param>
/// <param name="Host">Which host.</param>
/// <param name="User">Which user.</param>
/// <param name="Pick">Which of the user's sessions.</param>
internal sealed record Step(StepKind Kind, int Host, int User, int Pick)
{
    public override string ToString() => Kind is StepKind.Kill or StepKind.Pause or StepKind.Revive or StepKind.Wipe or StepKind.RefuseWrites
        ? $"{Kind}"
        : $"{Kind}(host {Host}, user {User}, {Pick})";
}

/// <summary>A history: rounds of steps, of which those of one round run at the same time.</summary>
internal sealed record OutageHistory(bool Durable, IReadOnlyList<bool> MemoryPolicy, IReadOnlyList<bool> Journal, bool SmallCaps, IReadOnlyList<IReadOnlyList<Step>> Rounds);

/// <summary>Draws histories. The same seed always draws the same one.</summary>
internal static class OutageHistoryGenerator
{
    private static readonly Gen<StepKind> Kinds = Gen.Frequency(
        Weighed(8, StepKind.LogIn),
        Weighed(10, StepKind.Validate),
        Weighed(2, StepKind.Rotate),
        Weighed(6, StepKind.Revoke),
        Weighed(6, StepKind.RevokeAll),
        Weighed(10, StepKind.Look),
        Weighed(1, StepKind.RestartHost),
        Weighed(2, StepKind.Kill),
        Weighed(2, StepKind.Pause),
        Weighed(6, StepKind.Revive),
        Weighed(1, StepKind.Wipe),
        Weighed(3, StepKind.RefuseWrites));

    private static readonly Gen<Step> Steps =
        from kind in Kinds
        from host in Gen.Choose(0, 1)
        from user in Gen.Choose(0, 1)
        from pick in Gen.Choose(0, 9)
        select new Step(kind, host, user, pick);

    private static readonly Gen<IReadOnlyList<Step>> Rounds =
        from first in Steps
        from second in Steps
        from both in Gen.Choose(0, 4)
        select both == 0 && IsOfAHost(first) && IsOfAHost(second)
            ? (IReadOnlyList<Step>)[first, second with { Host = 1 - first.Host }]
            : [first];

    private static readonly Gen<OutageHistory> Histories =
        from durable in Gen.Choose(0, 3)
        from deny in Gen.Choose(0, 3)
        from without in Gen.Choose(0, 5)
        from small in Gen.Choose(0, 3)
        from rounds in Gen.Choose(8, 28).SelectMany(count => Rounds.ListOf(count))
        select new OutageHistory(durable > 0, [deny != 1, deny != 2], [without != 1, without != 2], small == 0, [.. rounds]);

    public static OutageHistory Draw(ulong seed) => Histories.Sample(1, new Rnd(seed), 50).Single();

    private static bool IsOfAHost(Step step) => step.Kind is not (StepKind.RestartHost or StepKind.Kill or StepKind.Pause or StepKind.Revive or StepKind.Wipe or StepKind.RefuseWrites);

    private static (int Weight, Gen<StepKind> Kind) Weighed(int weight, StepKind kind) => (weight, Gen.Constant(kind));
}
