using System.Collections.Immutable;
using System.Text;
using Maintenance.Storage.Histories.Running;
using Maintenance.Storage.Histories.Truth;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Histories.Tokens;

/// <summary>Runs one token history, and asks after each round whether the answers can be explained.</summary>
internal sealed class TokenRun
{
    private const string DenialPrefix = "token ";
    private const int Denials = 2;

    private readonly Lock gate = new();
    private readonly List<TokenAct> acts = [];
    private readonly List<HeldToken> held = [];
    private readonly Dictionary<string, IReadOnlyList<ImmutableSortedDictionary<string, long>>> states = new(StringComparer.Ordinal);
    private readonly Linearizations linearizations;
    private long position;
    private int explained;

    private TokenRun(TokenHistory history, TokenWorld world)
    {
        History = history;
        World = world;
        linearizations = new Linearizations(history.Grace);
    }

    public TokenHistory History { get; }

    public TokenWorld World { get; }

    public IReadOnlyList<string> UserIds { get; } = [.. Enumerable.Range(1, TokenHistory.Users).Select(number => $"00000000-0000-4000-8000-{number:D12}")];

    /// <summary>The session that each user has at the start.</summary>
    public IReadOnlyList<IssuedSession> Sessions { get; private set; } = [];

    /// <summary>When it began: denials end at whole hours after it.</summary>
    public DateTimeOffset Began { get; } = TimeProvider.System.GetUtcNow();

    public static async Task<HistoryResult> RunAsync(TokenHistory history, TokenWorld world)
    {
        var run = new TokenRun(history, world);
        try
        {
            await run.RunAsync();
            return new HistoryResult(null, run.ToString());
        }
        catch (ViolationException violation)
        {
            return new HistoryResult(violation, run.ToString());
        }
    }

    /// <summary>Of a kind of token, the one that a number means; null if there is none yet.</summary>
    public HeldToken? Find(TokenStepKind origin, int target)
    {
        lock (gate)
        {
            var fitting = held.FindAll(token => token.Origin == origin);
            return fitting.Count == 0 ? null : fitting[target % fitting.Count];
        }
    }

    public TokenAct Call(string client, string what, string about, int user = 0, HeldToken? target = null, int variant = 0)
    {
        lock (gate)
        {
            var act = new TokenAct { Client = client, What = what, Object = about, User = user, Target = target, Variant = variant, Called = ++position };
            acts.Add(act);
            return act;
        }
    }

    /// <summary>Writes the answer down, and what it brought under the next number.</summary>
    public void Answer(TokenAct act, string answer, Func<int, HeldToken>? born = null)
    {
        lock (gate)
        {
            if (born is not null)
            {
                held.Add(act.Born = born(held.Count));
            }

            act.Answer = answer;
            act.Answered = ++position;
        }
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        lock (gate)
        {
            foreach (var act in acts)
            {
                text.Append($"{act.Called,4}-{act.Answered,-4} {act}\n");
            }
        }

        return text.ToString();
    }

    public static string OfUser(int user) => $"user {user}";

    public static string OfDenial(int target) => $"{DenialPrefix}{target % Denials}";

    private async Task RunAsync()
    {
        var sessions = new List<IssuedSession>();
        foreach (var userId in UserIds)
        {
            sessions.Add(await World.Sessions.CreateAsync(new NewSession { UserId = userId }, CancellationToken.None));
        }

        Sessions = sessions;
        foreach (var round in History.Rounds)
        {
            var bodies = round.Clients
                .Select((steps, i) => (Func<Task>)(() => new TokenClient($"{(char)('A' + i)}", this).RunAsync(steps)))
                .ToList();
            await (History.Ordered
                ? new TurnScheduler(round.Order).RunAsync(bodies)
                : Task.WhenAll(bodies.Select(body => Task.Run(body))));
            if (round.Pass && World.Redis is { } redis)
            {
                // The worker's jobs must change no answer.
                await redis.Sweeper.CleanupAsync(CancellationToken.None);
                await redis.Sweeper.ReconcileAsync(verifyGenerations: true, CancellationToken.None);
            }

            await new TokenClient("check", this).AskAllAsync([.. held], Denials);
            Explain();
        }
    }

    // Between rounds nobody is at work, so each round begins where the one before can have ended.
    private void Explain()
    {
        foreach (var about in acts.Skip(explained).GroupBy(act => act.Object, StringComparer.Ordinal))
        {
            var starts = states.GetValueOrDefault(about.Key) ?? [TokenModel.Start];
            var ends = linearizations.After(starts, [.. about]);
            if (ends.Count == 0)
            {
                throw new ViolationException(
                    ViolationKind.Unexplained, $"No order of these calls explains their answers ({about.Key}):\n{string.Join('\n', about.Select(act => $"  {act.Called}-{act.Answered} {act}"))}");
            }

            states[about.Key] = ends;
        }

        explained = acts.Count;
    }
}
