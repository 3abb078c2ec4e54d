using FsCheck;
using FsCheck.Fluent;

namespace Maintenance.Storage.Histories.Generation;

/// <summary>Draws histories. The same seed always draws the same one.</summary>
internal static class HistoryGenerator
{
    private static readonly Gen<OperationKind> Kinds = Gen.Frequency(
        Weighed(8, OperationKind.Create),
        Weighed(12, OperationKind.Validate),
        Weighed(5, OperationKind.Rotate),
        Weighed(6, OperationKind.Revoke),
        Weighed(3, OperationKind.RevokeAll),
        Weighed(2, OperationKind.RevokeAllExcept),
        Weighed(2, OperationKind.List),
        Weighed(1, OperationKind.StealToken),
        Weighed(2, OperationKind.Expire),
        Weighed(3, OperationKind.EvictRecord),
        Weighed(3, OperationKind.EvictIndex),
        Weighed(3, OperationKind.EvictGeneration),
        Weighed(1, OperationKind.SkewScore),
        Weighed(1, OperationKind.LoseTtl),
        Weighed(2, OperationKind.Cleanup),
        Weighed(8, OperationKind.Reconcile));

    // One session that runs out by itself costs a history a second.
    private static readonly Gen<Operation> Operations =
        from kind in Kinds
        from user in Gen.Choose(0, 2)
        from session in Gen.Choose(0, 9)
        from rare in Gen.Choose(0, 24)
        select new Operation(kind == OperationKind.Create && rare == 0 ? OperationKind.CreateShort : kind, user, session);

    private static readonly Gen<Burst> Bursts =
        from pick in Gen.Choose(0, 2)
        from calls in Gen.Frequency((3, Gen.Choose(1, 2)), (2, Gen.Choose(3, 8)))
        select new Burst(pick, calls);

    // Stopped once in the middle while another goes to its end: most races need no more than that, and mere chance seldom hits it.
    private static readonly Gen<Burst[]> Interruptions =
        from stopped in Gen.Choose(0, 2)
        from calls in Gen.Choose(1, 8)
        from other in Gen.Choose(0, 2)
        from most in Gen.Choose(2, 20)
        select new[] { new Burst(stopped, calls), new Burst(other, most) };

    private static readonly Gen<IReadOnlyList<Burst>> Orders = Gen.OneOf(
        from count in Gen.Choose(4, 12)
        from bursts in Bursts.ListOf(count)
        select (IReadOnlyList<Burst>)[.. bursts],
        from count in Gen.Choose(1, 3)
        from interruptions in Interruptions.ListOf(count)
        select (IReadOnlyList<Burst>)[.. interruptions.SelectMany(bursts => bursts)]);

    /// <summary>Rounds of one to three clients with one to four such steps each.</summary>
    public static Gen<Round<TStep>> RoundsOf<TStep>(Gen<TStep> steps) =>
        from count in Gen.Frequency((1, Gen.Constant(1)), (4, Gen.Choose(2, 3)))
        from clients in Gen.Choose(1, 4).SelectMany(length => steps.ListOf(length)).ListOf(count)
        from order in Orders
        from pass in Gen.Choose(0, 3)
        select new Round<TStep>([.. clients.Select(client => (IReadOnlyList<TStep>)[.. client])], order, pass == 0);

    private static readonly Gen<History> Histories =
        from users in Gen.Choose(1, 3)
        from logins in Gen.Choose(0, 2)
        from renewAlways in Gen.Choose(0, 2)
        from shortGrace in Gen.Choose(0, 3)
        from free in Gen.Choose(0, 3)
        from rounds in Gen.Choose(1, 3).SelectMany(count => RoundsOf(Operations).ListOf(count))
        select new History(users, logins, renewAlways > 0, shortGrace == 0, free > 0, [.. rounds]);

    public static History Draw(ulong seed) => Histories.Sample(1, new Rnd(seed), 50).Single();

    private static (int Weight, Gen<OperationKind> Kind) Weighed(int weight, OperationKind kind) => (weight, Gen.Constant(kind));
}
