using Maintenance.Storage.Histories.Generation;
using Maintenance.Storage.Histories.Running;
using Maintenance.Storage.Histories.Truth;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.Histories.Memory;

/// <summary>
/// Runs a history on the in-memory store, against the same ledger: the same users, clients and orders, without the steps that damage Redis behind the
/// store's back or sweep it, and without those that wait for a clock.
/// </summary>
internal static class MemoryHistory
{
    private static readonly HashSet<OperationKind> Steps =
    [
        OperationKind.Create, OperationKind.Validate, OperationKind.Rotate, OperationKind.Revoke, OperationKind.RevokeAll, OperationKind.RevokeAllExcept,
        OperationKind.List, OperationKind.StealToken,
    ];

    /// <summary>Draws a history with at least two clients that do something.</summary>
    public static History Draw(ulong seed)
    {
        var drawn = HistoryGenerator.Draw(seed);
        return drawn with
        {
            ShortGrace = false,
            Rounds = [.. drawn.Rounds.Select(round => round with { Pass = false, Clients = [.. round.Clients.Select(client => (IReadOnlyList<Operation>)[.. client.Select(Kept)])] })],
        };
    }

    /// <summary>Runs it; what else the store must be, a planted bug says.</summary>
    public static async Task<HistoryResult> RunAsync(History history, Func<InMemorySessionStore, MemorySessions, ISessionStore>? plant = null)
    {
        var options = new FixedOptions<SessionOptions>(new SessionOptions
        {
            RenewalInterval = history.RenewAlways ? TimeSpan.Zero : TimeSpan.FromMinutes(1),
            RotationGrace = TimeSpan.FromMinutes(1),
        });
        using var users = new MemoryUsers(new MemoryOptions(), TimeProvider.System);
        using var sessions = new MemorySessions(users, new MemoryOptions(), TimeProvider.System);
        var store = new InMemorySessionStore(users, sessions, options);
        var world = new World(history, new TurnStore(plant?.Invoke(store, sessions) ?? store), options.CurrentValue);
        try
        {
            await RunAsync(world);
            return new HistoryResult(null, world.Ledger.ToString());
        }
        catch (ViolationException violation)
        {
            return new HistoryResult(violation, world.Ledger.ToString());
        }
    }

    private static async Task RunAsync(World world)
    {
        var history = world.History;
        var checker = new HistoryClient("check", world);
        await new HistoryClient("start", world).RunAsync(
            [.. Enumerable.Range(0, history.Users * history.Logins).Select(i => new Operation(OperationKind.Create, i % history.Users))]);
        foreach (var round in history.Rounds)
        {
            var bodies = round.Clients
                .Select((steps, i) => (Func<Task>)(() => new HistoryClient($"{(char)('A' + i)}", world).RunAsync(steps)))
                .ToList();
            await (history.Ordered ? new TurnScheduler(round.Order).RunAsync(bodies) : Task.WhenAll(bodies.Select(body => Task.Run(body))));
            foreach (var session in world.Ledger.Sessions)
            {
                await checker.ValidateAsync(session);
            }

            await CheckListsAsync(world);
        }
    }

    // What answers is listed, and what is listed answers.
    private static async Task CheckListsAsync(World world)
    {
        for (var user = 0; user < world.UserIds.Count; user++)
        {
            var listed = (await world.Store.ListAsync(world.UserIds[user], CancellationToken.None)).Select(session => session.Id).ToHashSet();
            foreach (var session in world.Ledger.Sessions.Where(session => session.User == user))
            {
                var answer = (await world.Store.ValidateAsync(session.Token.Value, CancellationToken.None)).Session;
                var own = answer?.Id == session.Token.Id;
                if (own != listed.Contains(session.Token.Id))
                {
                    throw new ViolationException(
                        own ? ViolationKind.LiveSessionNotInIndex : ViolationKind.GhostInIndex, $"{session} answers: {own}, and is listed: {!own}");
                }
            }
        }
    }

    private static Operation Kept(Operation step) => Steps.Contains(step.Kind) ? step
        : step with { Kind = step.Kind == OperationKind.CreateShort ? OperationKind.Create : OperationKind.Validate };
}
