using Maintenance.Storage.Histories.Generation;

namespace Maintenance.Storage.Histories.Running;

/// <summary>
/// Lets the calls of several clients reach Redis one at a time, in a given order, so that a race happens again when the history is run again.
/// Scripts are atomic in Redis, so an order of calls is all that distinguishes one race from another.
/// </summary>
internal sealed class TurnScheduler(IReadOnlyList<Burst> order)
{
    private static readonly AsyncLocal<Client?> Current = new();

    private readonly Lock gate = new();
    private readonly List<Client> clients = [];
    private int burst;
    private int callsLeft;
    private Client? bursting;

    /// <summary>For <c>RedisConnection.BeforeCall</c>: waits for the caller's turn; callers outside of a scheduler pass.</summary>
    public static Task TurnAsync() => Current.Value is { } client ? client.Scheduler.WaitAsync(client) : Task.CompletedTask;

    /// <summary>Makes calls that need no turn.</summary>
    public static async Task<T> WithoutTurnsAsync<T>(Func<Task<T>> calls)
    {
        Current.Value = null;
        return await calls();
    }

    /// <summary>Runs all bodies to their ends.</summary>
    public async Task RunAsync(IReadOnlyList<Func<Task>> bodies)
    {
        clients.AddRange(bodies.Select(_ => new Client(this)));
        await Task.WhenAll(bodies.Select((body, i) => Task.Run(() => RunAsync(clients[i], body))));
    }

    private async Task RunAsync(Client client, Func<Task> body)
    {
        Current.Value = client;
        try
        {
            // What a client does before its first call must not depend on who was faster either.
            await WaitAsync(client);
            await body();
        }
        finally
        {
            lock (gate)
            {
                client.State = ClientState.Done;
                Next();
            }
        }
    }

    private Task WaitAsync(Client client)
    {
        lock (gate)
        {
            var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            client.Waiting.Add(turn);
            client.State = ClientState.Waiting;
            Next();
            return turn.Task;
        }
    }

    // Chooses only when nobody is on the way, so that the choice does not depend on who was faster.
    private void Next()
    {
        if (clients.Exists(client => client.State == ClientState.Running))
        {
            return;
        }

        var waiting = clients.FindAll(client => client.State == ClientState.Waiting);
        if (waiting.Count == 0)
        {
            return;
        }

        var chosen = Choose(waiting);
        chosen.State = ClientState.Running;
        var turns = chosen.Waiting.ToArray();
        chosen.Waiting.Clear();
        foreach (var turn in turns)
        {
            turn.SetResult();
        }
    }

    private Client Choose(List<Client> waiting)
    {
        if (callsLeft > 0 && bursting is { State: ClientState.Waiting })
        {
            callsLeft--;
            return bursting;
        }

        if (burst >= order.Count)
        {
            return waiting[0];
        }

        var next = order[burst++];
        bursting = waiting[next.Pick % waiting.Count];
        callsLeft = next.Calls - 1;
        return bursting;
    }

    private enum ClientState
    {
        Running,
        Waiting,
        Done,
    }

    private sealed class Client(TurnScheduler scheduler)
    {
        public TurnScheduler Scheduler { get; } = scheduler;

        public List<TaskCompletionSource> Waiting { get; } = [];

        public ClientState State { get; set; }
    }
}
