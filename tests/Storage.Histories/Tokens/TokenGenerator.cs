using FsCheck;
using FsCheck.Fluent;
using Maintenance.Storage.Histories.Generation;

namespace Maintenance.Storage.Histories.Tokens;

/// <summary>Draws token histories, and smaller ones. The same seed always draws the same one.</summary>
internal static class TokenGenerator
{
    // Each history is about one or two kinds, so that clients meet on the same tokens.
    private static readonly TokenStepKind[][] Kinds =
    [
        [TokenStepKind.IssueFamily, TokenStepKind.RotateFamily, TokenStepKind.RotateFamily, TokenStepKind.RotateFamily, TokenStepKind.RevokeFamily, TokenStepKind.RevokeFamilies],
        [TokenStepKind.IssueOneTime, TokenStepKind.RedeemOneTime, TokenStepKind.RedeemOneTime, TokenStepKind.InvalidateOneTime],
        [
            TokenStepKind.BeginChallenge, TokenStepKind.AttemptChallenge, TokenStepKind.AttemptChallenge, TokenStepKind.CompleteChallenge,
            TokenStepKind.RedeemCode, TokenStepKind.RedeemCode, TokenStepKind.CancelChallenge, TokenStepKind.CancelChallenges,
        ],
        // The attempts alone: a limit is only reached when nothing forgives them before.
        [TokenStepKind.BeginChallenge, TokenStepKind.AttemptChallenge, TokenStepKind.AttemptChallenge, TokenStepKind.AttemptChallenge],
        [TokenStepKind.CreateState, TokenStepKind.RedeemState, TokenStepKind.RedeemState],
        [TokenStepKind.Deny, TokenStepKind.AskDenied],
    ];

    private static readonly TokenStepKind[] Common =
    [
        TokenStepKind.EndEverything, TokenStepKind.EvictRecord, TokenStepKind.EvictIndex, TokenStepKind.EvictGeneration, TokenStepKind.Sweep,
    ];

    private static readonly Gen<TokenHistory> Histories =
        from first in Gen.Choose(0, Kinds.Length - 1)
        from second in Gen.Choose(0, Kinds.Length - 1)
        from grace in Gen.Choose(0, 1)
        from free in Gen.Choose(0, 3)
        from rounds in Gen.Choose(1, 3).SelectMany(count => HistoryGenerator.RoundsOf(StepsOf(first, second)).ListOf(count))
        select new TokenHistory(grace == 1, free > 0, [.. rounds]);

    public static TokenHistory Draw(ulong seed) => Histories.Sample(1, new Rnd(seed), 50).Single();

    public static IEnumerable<TokenHistory> Shrink(TokenHistory history)
    {
        if (!history.Ordered)
        {
            yield return history with { Ordered = true };
        }

        foreach (var rounds in RoundShrinker.Shrink(history.Rounds, Simpler))
        {
            yield return history with { Rounds = rounds };
        }
    }

    private static Gen<TokenStep> StepsOf(int first, int second) =>
        from kind in Gen.Frequency((5, Gen.Elements(Kinds[first])), (3, Gen.Elements(Kinds[second])), (2, Gen.Elements(Common)))
        from user in Gen.Frequency((3, Gen.Constant(0)), (1, Gen.Constant(1)))
        from target in Gen.Frequency((2, Gen.Constant(0)), (2, Gen.Choose(0, 5)))
        from variant in Gen.Choose(0, 3)
        select new TokenStep(kind, user, target, variant);

    private static IEnumerable<TokenStep> Simpler(TokenStep step)
    {
        if (step.User > 0)
        {
            yield return step with { User = 0 };
        }

        if (step.Target > 0)
        {
            yield return step with { Target = 0 };
            yield return step with { Target = step.Target - 1 };
        }

        if (step.Variant > 0)
        {
            yield return step with { Variant = 0 };
        }
    }
}
