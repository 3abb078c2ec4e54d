using Maintenance.Storage.Histories.Generation;
using Maintenance.Storage.Histories.Truth;
using Maintenance.Storage.Redis;
using Maintenance.Testing;

namespace Maintenance.Storage.Histories.Running;

/// <summary>How a history ended.</summary>
/// <param name="Violation">The broken promise; null if all were kept.</param>
/// <param name="Trace">Every call and answer, in order.</param>
internal sealed record HistoryResult(ViolationException? Violation, string Trace);

/// <summary>Runs one history and checks it at every point where the store is still.</summary>
internal sealed class HistoryRunner
{
    private static readonly TimeSpan ExpiryDeadline = TimeSpan.FromSeconds(60);

    private readonly World world;
    private readonly HistoryClient checker;
    private readonly StillChecks checks;

    private HistoryRunner(World world)
    {
        this.world = world;
        checker = new HistoryClient("check", world);
        checks = new StillChecks(world);
    }

    public static async Task<HistoryResult> RunAsync(History history, Product product, RedisConnection connection)
    {
        var subject = new World(history, product, connection);
        ViolationException? violation = null;
        try
        {
            await new HistoryRunner(subject).RunAsync();
        }
        catch (ViolationException exception)
        {
            violation = exception;
        }

        return new HistoryResult(violation, subject.Ledger.ToString());
    }

    private async Task RunAsync()
    {
        var history = world.History;
        var logins = Enumerable.Range(0, history.Users * history.Logins).Select(i => new Operation(OperationKind.Create, i % history.Users));
        await new HistoryClient("start", world).RunAsync([.. logins]);
        foreach (var round in history.Rounds)
        {
            await RunAsync(round);
            await CheckAsync(round.Pass);
        }

        await AwaitShortSessionsAsync();
        await CheckAsync(pass: true);
    }

    private async Task RunAsync(Round<Operation> round)
    {
        var bodies = round.Clients
            .Select((steps, i) => (Func<Task>)(() => new HistoryClient($"{(char)('A' + i)}", world).RunAsync(steps)))
            .ToList();
        await (world.History.Ordered
            ? new TurnScheduler(round.Order).RunAsync(bodies)
            : Task.WhenAll(bodies.Select(body => Task.Run(body))));
    }

    private async Task CheckAsync(bool pass)
    {
        await AwaitGraceAsync();
        var before = await Snapshot.TakeAsync(world);
        // Asked before the snapshot is judged, because an answer says more than a key; taken before, because a validation may renew.
        await ValidateAllAsync();
        CheckSuccessors();
        checks.Check(before);
        if (!pass)
        {
            return;
        }

        before = await Snapshot.TakeAsync(world);
        await checker.RunAsync([new Operation(OperationKind.Cleanup), new Operation(OperationKind.Reconcile)]);
        checks.CheckAfterPass(before, await Snapshot.TakeAsync(world));
        await ValidateAllAsync();
    }

    private async Task ValidateAllAsync()
    {
        foreach (var session in world.Ledger.Sessions)
        {
            await checker.ValidateAsync(session);
        }
    }

    private void CheckSuccessors()
    {
        foreach (var session in world.Ledger.Sessions)
        {
            var rotations = world.Ledger.Of(session, OperationKind.Rotate);
            if (rotations.Any(rotation => rotation.Answer == "already rotated") && !rotations.Any(rotation => rotation.Done))
            {
                throw new ViolationException(ViolationKind.WrongSuccessor, $"{session} is said to be rotated, and nobody has its successor");
            }
        }
    }

    // A rotated id must stop answering by itself once its moment is over.
    private async Task AwaitGraceAsync()
    {
        if (!world.History.ShortGrace)
        {
            return;
        }

        foreach (var session in world.Ledger.Sessions.Where(session => world.Ledger.WasRotated(session)))
        {
            await AwaitGoneAsync(session, world.Grace);
        }
    }

    private async Task AwaitShortSessionsAsync()
    {
        foreach (var session in world.Ledger.Sessions.Where(session => session.Root.Birth.Kind == OperationKind.CreateShort))
        {
            await AwaitGoneAsync(session, Ledger.ShortLife);
        }
    }

    private async Task AwaitGoneAsync(TrackedSession session, TimeSpan longestLife)
    {
        if (world.Ledger.Of(session, OperationKind.LoseTtl).Count > 0)
        {
            return;
        }

        if ((long)await world.CommandAsync("PTTL", world.RecordKey(session)) is var life && (life == -1 || life > longestLife.TotalMilliseconds))
        {
            throw new ViolationException(ViolationKind.DeadSessionAnswers, $"{session} would run out in {life} ms, and may not live longer than {longestLife.TotalMilliseconds} ms");
        }

        try
        {
            await Eventually.TrueAsync(async () => (long)await world.CommandAsync("EXISTS", world.RecordKey(session)) == 0, ExpiryDeadline);
        }
        catch (TimeoutException)
        {
            throw new ViolationException(ViolationKind.DeadSessionAnswers, $"{session} did not run out in time");
        }
    }
}
