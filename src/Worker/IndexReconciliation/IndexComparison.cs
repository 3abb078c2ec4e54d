using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>
/// Second half of the merge: reads the indexes in pipelined pages and compares them with the live sessions, here, without another command.
/// What does not match becomes a suspect.
/// </summary>
internal sealed class IndexComparison(RedisConnection connection, SweptKind kind, JobContext context, LiveSessions live)
{
    /// <summary>Members of one index read at once; a longer one is read in pages.</summary>
    public const int PageSize = 500;

    // ZRANGE and PTTL.
    private const int CommandsPerIndex = 2;

    /// <summary>Difference that is not drift; the scripts use the same.</summary>
    public required TimeSpan Tolerance { get; init; }

    /// <summary>Let the script look at the generation of every session, not only where the scan saw none.</summary>
    public required bool VerifyGenerations { get; init; }

    /// <summary>Whether the scan saw the generation of a user, by the user's number in the table that is compared.</summary>
    public required Func<int, bool> HasGeneration { get; init; }

    /// <summary>What did not match.</summary>
    public List<Suspect> Suspects { get; } = [];

    /// <summary>Numbers of the users whose index has another TTL than its longest member.</summary>
    public List<int> LifeSuspects { get; } = [];

    /// <summary>Members read.</summary>
    public long Members { get; private set; }

    /// <summary>Sessions that no index named.</summary>
    public long NotIndexed { get; private set; }

    /// <summary>Index keys that are not sorted sets, and members that are not session ids.</summary>
    public long Foreign { get; private set; }

    /// <summary>Suspects that a script might remove although they have not expired.</summary>
    public long PossibleRemovals { get; private set; }

    /// <summary>Compares every index, then adds the sessions that none named.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var done = 0L;
        foreach (var users in live.Users().Chunk(Math.Max(1, context.Budget.BatchSize / CommandsPerIndex)))
        {
            await CompareAsync(users, cancellationToken);
            done += users.Length;
            context.Progress?.Report(new JobProgress("compare", done, live.UserCount));
        }

        foreach (var (user, id) in live.NotIndexed())
        {
            NotIndexed++;
            Suspect(user, id, double.NaN, mayBeRemoved: true);
        }
    }

    private async Task CompareAsync(int[] users, CancellationToken cancellationToken)
    {
        var pending = users.Select(number => new OpenIndex(number, kind.IndexKey(live.User(number)))).ToList();
        for (var start = 0L; pending.Count > 0; start += PageSize)
        {
            var from = start;
            var (now, pages) = await context.Budget.SpendAsync(
                "indexes",
                (pending.Count * CommandsPerIndex) + 1,
                () => connection.CallAsync(database => ReadAsync(database, pending, from), cancellationToken, KeyspaceScan.DeadlineOf(connection)),
                cancellationToken);
            for (var i = 0; i < pending.Count; i++)
            {
                Take(pending[i], pages[i].Members, (long)pages[i].Life, now);
            }

            pending.RemoveAll(index => index.Finished);
        }
    }

    private static async Task<(long Now, (SortedSetEntry[]? Members, RedisResult Life)[] Pages)> ReadAsync(
        IDatabase database, List<OpenIndex> indexes, long start)
    {
        var now = ServerClock.NowAsync(database);
        var pages = await Task.WhenAll(indexes.Select(async index =>
        {
            var members = PacedBatches.UnlessForeignAsync(database.SortedSetRangeByRankWithScoresAsync(index.Key, start, start + PageSize - 1));
            var life = database.ExecuteAsync("PTTL", (RedisKey)index.Key);
            return (await members, await life);
        }));
        return (await now, pages);
    }

    private void Take(OpenIndex index, SortedSetEntry[]? members, long life, long now)
    {
        if (members is null)
        {
            Foreign++;
            index.Finished = true;
            return;
        }

        Members += members.Length;
        foreach (var member in members)
        {
            if (SessionId.TryParse((string?)member.Element, out var id))
            {
                Compare(index.User, PackedId.Of(id), member.Score, now);
            }
            else
            {
                Foreign++;
            }

            index.Longest = member.Score;
        }

        index.Finished = members.Length < PageSize;
        if (index.Finished && index.Longest > now && (life < 0 || Differs(now + life, index.Longest)))
        {
            LifeSuspects.Add(index.User);
        }
    }

    private void Compare(int user, PackedId id, double score, long now)
    {
        var session = live.FindSession(user, id);
        if (session < 0)
        {
            // Over by itself, or gone before its time, or made after the scan had passed by.
            Suspect(user, id, score, mayBeRemoved: score > now);
            return;
        }

        live.MarkIndexed(session);
        var expires = live.Expires(session);
        var inDoubt = VerifyGenerations || !HasGeneration(user);
        if (inDoubt || expires == LiveSessions.NoExpiry || Differs(score, expires))
        {
            Suspect(user, id, score, mayBeRemoved: inDoubt);
        }
    }

    private void Suspect(int user, PackedId id, double score, bool mayBeRemoved)
    {
        Suspects.Add(new Suspect(user, id, score));
        PossibleRemovals += mayBeRemoved ? 1 : 0;
    }

    private bool Differs(double one, double other) => Math.Abs(one - other) > Tolerance.TotalMilliseconds;

    private sealed class OpenIndex(int user, string key)
    {
        public int User { get; } = user;

        public string Key { get; } = key;

        public double Longest { get; set; } = double.NegativeInfinity;

        public bool Finished { get; set; }
    }
}
