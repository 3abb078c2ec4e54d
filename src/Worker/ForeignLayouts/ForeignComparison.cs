using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.ForeignLayouts;

/// <summary>Second half of the merge: reads the indexes in pages and compares them with the sessions that the scan saw.</summary>
internal sealed class ForeignComparison(RedisConnection connection, ForeignStore store, JobContext context)
{
    /// <summary>Suspects that one pass looks at again; more are left for the next.</summary>
    public const int MostSuspects = 50_000;

    private const int PageSize = 500;

    // SSCAN may bring a member twice, and SCAN a key.
    private readonly HashSet<UInt128> suspected = [];

    /// <summary>What did not match.</summary>
    public List<ForeignSuspect> Suspects { get; } = [];

    /// <summary>Suspects above <see cref="MostSuspects"/>.</summary>
    public long Left { get; private set; }

    /// <summary>Members read; SSCAN may bring one twice.</summary>
    public long Members { get; private set; }

    /// <summary>Members that name a session of another user.</summary>
    public long Misplaced { get; private set; }

    /// <summary>Indexes of another type, and members that name no session.</summary>
    public long Unreadable { get; private set; }

    /// <summary>Compares every index.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var done = 0L;
        foreach (var users in store.Users.Chunk(Math.Max(1, context.Budget.BatchSize)))
        {
            var open = users.Select(user => new OpenIndex(user, store.Space.Index.Format("", user))).ToList();
            while (open.Count > 0)
            {
                var (now, pages) = await context.Budget.SpendAsync(
                    "foreign indexes",
                    open.Count + 1,
                    () => connection.CallAsync(database => ReadAsync(database, open), cancellationToken, KeyspaceScan.DeadlineOf(connection)),
                    cancellationToken);
                for (var i = 0; i < open.Count; i++)
                {
                    Take(open[i], pages[i], now);
                }

                open.RemoveAll(index => index.Cursor == "0");
            }

            done += users.Length;
            context.Progress?.Report(new JobProgress($"compare {store.Space.Name}", done, store.Users.Count));
        }
    }

    /// <summary>Adds a suspect, if there is room.</summary>
    public void Suspect(ForeignSuspect suspect)
    {
        if (Suspects.Count == MostSuspects)
        {
            Left++;
        }
        else if (suspected.Add(suspect.Fingerprint(store.Space)))
        {
            Suspects.Add(suspect);
        }
    }

    private async Task<(long Now, RedisResult[]?[] Pages)> ReadAsync(IDatabase database, List<OpenIndex> indexes)
    {
        var command = store.Space.Options.IndexType == IndexType.Set ? "SSCAN" : "ZSCAN";
        var now = ServerClock.NowAsync(database);
        var pages = await Task.WhenAll(indexes.Select(async index =>
            (RedisResult[]?)await PacedBatches.UnlessForeignAsync(database.ExecuteAsync(command, (RedisKey)index.Key, index.Cursor, "COUNT", PageSize))));
        return (await now, pages);
    }

    private void Take(OpenIndex index, RedisResult[]? page, long now)
    {
        if (page is null)
        {
            Unreadable++;
            index.Cursor = "0";
            return;
        }

        index.Cursor = (string?)page[0] ?? "0";
        var items = (RedisResult[]?)page[1] ?? [];
        var scored = store.Space.Options.IndexType == IndexType.SortedSet;
        for (var i = 0; i < items.Length; i += scored ? 2 : 1)
        {
            Members++;
            Compare(index, (byte[]?)items[i] ?? [], scored ? (double)items[i + 1] : double.NaN, now);
        }
    }

    private void Compare(OpenIndex index, byte[] member, double score, long now)
    {
        var space = store.Space;
        if (space.SessionOf(member) is not { } session)
        {
            Unreadable++;
            return;
        }

        switch (store.Find(space.Sessions.Format(session, index.User), index.Fingerprint, out var expires))
        {
            case Named.NoSession:
                Suspect(new ForeignSuspect(space.IsOver(score, now) ? ForeignDrift.Expired : ForeignDrift.Dangling, session, index.User, member, score));
                break;
            case Named.AnothersSession:
                Misplaced++;
                break;
            default:
                if (space.ScoresExpiry && expires != ForeignValue.Endless && space.Differs(score, expires))
                {
                    Suspect(new ForeignSuspect(ForeignDrift.WrongExpiry, session, index.User, member, score));
                }

                break;
        }
    }

    private sealed class OpenIndex(string user, string key)
    {
        public string User { get; } = user;

        public string Key { get; } = key;

        public UInt128 Fingerprint { get; } = KeySpace.Fingerprint(user);

        public string Cursor { get; set; } = "0";
    }
}
