using System.Net;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using StackExchange.Redis;

namespace Maintenance.Worker.Demo;

/// <summary>
/// Fills a store as a busy service would have it and breaks it as careless code does: through raw commands, behind the library's back. Each user
/// suffers one kind of damage at most, so that what is found can be compared with what was planted.
/// </summary>
internal sealed class DemoPlanter(
    RedisConnection connection, RedisKeys keys, ISessionStore store, TokenPlanter tokens, TimeProvider timeProvider, int seed)
{
    /// <summary>Users created unless told otherwise.</summary>
    public const int DefaultUsers = 10_000;

    // Concurrent log-ins; enough to keep one connection busy.
    private const int Parallel = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly string[] Devices = ["Pixel 9", "iPhone 17", "Work laptop", "Kitchen tablet", "MacBook Air", "Desktop"];

    private static readonly string[] Agents =
    [
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Mobile",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    ];

    private readonly Random random = new(seed);

    /// <summary>Creates the users and their sessions, then the damage.</summary>
    public async Task<DemoPlan> PlantAsync(int users, IProgress<(int Done, int Total)>? progress, CancellationToken cancellationToken)
    {
        var plan = new DemoPlan { Users = users };
        var population = await LogInAsync(users, progress, cancellationToken);
        plan.Sessions = population.Sum(user => user.Sessions.Count);

        // Disjoint shares of the users, in thousandths.
        var rest = new Queue<DemoUser>(population);
        List<DemoUser> Take(int thousandths) => [.. Enumerable.Range(0, users * thousandths / 1000).Select(_ => rest.Dequeue())];
        await ExpireMembersAsync(plan, Take(40), cancellationToken);
        await DeleteSessionsAsync(plan, Take(50), cancellationToken);
        await LoseMembersAsync(plan, Take(40), cancellationToken);
        await LoseIndexesAsync(plan, Take(20), cancellationToken);
        await RevokeBlindlyAsync(plan, Take(20), cancellationToken);
        await DropTtlsAsync(plan, Take(30), cancellationToken);
        await MoveScoresAsync(plan, Take(30), cancellationToken);
        await ExpireTokenMembersAsync(plan, Take(20), cancellationToken);
        await DeleteTokensAsync(plan, Take(30), cancellationToken);
        await OrphanTokensAsync(plan, Take(20), cancellationToken);
        await MoveTokenScoresAsync(plan, Take(20), cancellationToken);
        await DropTokenTtlsAsync(plan, Take(40), cancellationToken);
        foreach (var user in Take(50))
        {
            await tokens.GiveFamilyAsync(plan, user, cancellationToken);
            plan.Live.AddRange(user.Sessions);
        }

        plan.Live.AddRange(rest.SelectMany(user => user.Sessions));
        return plan;
    }

    private async Task<List<DemoUser>> LogInAsync(int users, IProgress<(int Done, int Total)>? progress, CancellationToken cancellationToken)
    {
        // One thread draws, so that a seed gives the same store every time.
        var plans = Enumerable.Range(0, users)
            .Select(_ => (User: new DemoUser(NewGuid().ToString("D")), Logins: Enumerable.Range(0, random.Next(1, 8)).Select(_ => Draw()).ToArray()))
            .ToArray();
        var done = 0;
        await System.Threading.Tasks.Parallel.ForEachAsync(
            plans,
            new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken },
            async (plan, token) =>
            {
                foreach (var login in plan.Logins)
                {
                    var issued = await store.CreateAsync(login with { UserId = plan.User.Id }, token);
                    plan.User.Sessions.Add(issued.Token);
                }

                var count = Interlocked.Increment(ref done);
                if (count % 1000 == 0)
                {
                    progress?.Report((count, users));
                }
            });
        return [.. plans.Select(plan => plan.User)];
    }

    private NewSession Draw() => new()
    {
        UserId = "",
        IpAddress = new IPAddress([198, 51, 100, (byte)random.Next(1, 255)]),
        UserAgent = Agents[random.Next(Agents.Length)],
        DeviceName = Devices[random.Next(Devices.Length)],
        SlidingExpiration = TimeSpan.FromMinutes(random.Next(6 * 60, 24 * 60)),
    };

    private Task ExpireMembersAsync(DemoPlan plan, List<DemoUser> users, CancellationToken cancellationToken) =>
        SpoilAsync(users, (database, user) =>
        {
            var past = timeProvider.GetUtcNow() - TimeSpan.FromMinutes(random.Next(10, 3000));
            Count(plan, DemoDamage.ExpiredMembers);
            plan.Live.AddRange(user.Sessions);
            return database.SortedSetAddAsync(keys.SessionIndex(user.Reference), UnknownId(user), past.ToUnixTimeMilliseconds());
        }, cancellationToken);

    private Task DeleteSessionsAsync(DemoPlan plan, List<DemoUser> users, CancellationToken cancellationToken) =>
        SpoilAsync(users, (database, user) =>
        {
            Count(plan, DemoDamage.DeletedSessions);
            plan.Dead.Add(user.Sessions[0]);
            plan.Live.AddRange(user.Sessions.Skip(1));
            return database.KeyDeleteAsync(keys.Session(user.Reference, user.Sessions[0].Id));
        }, cancellationToken);

    private Task LoseMembersAsync(DemoPlan plan, List<DemoUser> users, CancellationToken cancellationToken) =>
        SpoilAsync(users, (database, user) =>
        {
            if (user.Sessions.Count == 1)
            {
                // Without its only member the index is gone: a lost index.
                Count(plan, DemoDamage.LostIndexes);
            }

            Count(plan, DemoDamage.MissingSessions);
            plan.Live.AddRange(user.Sessions);
            return database.SortedSetRemoveAsync(keys.SessionIndex(user.Reference), user.Sessions[0].Id.Value);
        }, cancellationToken);

    private Task LoseIndexesAsync(DemoPlan plan, List<DemoUser> users, CancellationToken cancellationToken) =>
        SpoilAsync(users, (database, user) =>
        {
            Count(plan, DemoDamage.LostIndexes);
            Count(plan, DemoDamage.MissingSessions, user.Sessions.Count);
            plan.Live.AddRange(user.Sessions);
            return database.KeyDeleteAsync(keys.SessionIndex(user.Reference));
        }, cancellationToken);

    private async Task RevokeBlindlyAsync(DemoPlan plan, List<DemoUser> users, CancellationToken cancellationToken)
    {
        await SpoilAsync(users, (database, user) => database.KeyDeleteAsync(keys.SessionIndex(user.Reference)), cancellationToken);
        foreach (var user in users)
        {
            Count(plan, DemoDamage.RevokedSessions, user.Sessions.Count);
            plan.Dead.AddRange(user.Sessions);
            await store.RevokeAllAsync(user.Id, null, cancellationToken);
            var again = await store.CreateAsync(Draw() with { UserId = user.Id }, cancellationToken);
            plan.Live.Add(again.Token);
            plan.Sessions++;
        }
    }

    private async Task DropTtlsAsync(DemoPlan plan, List<DemoUser> users, CancellationToken cancellationToken)
    {
        await SpoilAsync(users, (database, user) =>
        {
            Count(plan, DemoDamage.MissingTtl);
            plan.Live.AddRange(user.Sessions);
            var key = random.Next(3) switch
            {
                0 => keys.Session(user.Reference, user.Sessions[0].Id),
                1 => keys.SessionIndex(user.Reference),
                _ => keys.Generation(user.Reference),
            };
            return database.KeyPersistAsync(key);
        }, cancellationToken);
        // What INCR without EXPIRE leaves behind when a process dies between the two.
        await SpoilAsync(users, (database, user) =>
        {
            Count(plan, DemoDamage.MissingTtl);
            return database.StringSetAsync($"{keys.Prefix}rate:limit:login:{user.Sessions[0].Id.Value}", 1);
        }, cancellationToken);
    }

    private Task MoveScoresAsync(DemoPlan plan, List<DemoUser> users, CancellationToken cancellationToken) =>
        SpoilAsync(users, (database, user) =>
        {
            Count(plan, DemoDamage.WrongExpiry);
            plan.Live.AddRange(user.Sessions);
            var wrong = timeProvider.GetUtcNow() + TimeSpan.FromMinutes(random.Next(30, 300));
            return database.SortedSetAddAsync(keys.SessionIndex(user.Reference), user.Sessions[0].Id.Value, wrong.ToUnixTimeMilliseconds());
        }, cancellationToken);

    private async Task ExpireTokenMembersAsync(DemoPlan plan, List<DemoUser> users, CancellationToken cancellationToken)
    {
        foreach (var user in users)
        {
            await tokens.GiveFamilyAsync(plan, user, cancellationToken);
        }

        await SpoilAsync(users, (database, user) =>
        {
            var past = timeProvider.GetUtcNow() - TimeSpan.FromMinutes(random.Next(10, 3000));
            Count(plan, DemoDamage.ExpiredTokenMembers);
            plan.Live.AddRange(user.Sessions);
            return database.SortedSetAddAsync(keys.RefreshIndex(user.Reference), UnknownId(user), past.ToUnixTimeMilliseconds());
        }, cancellationToken);
    }

    private async Task DeleteTokensAsync(DemoPlan plan, List<DemoUser> users, CancellationToken cancellationToken)
    {
        var records = new Dictionary<DemoUser, RedisKey>();
        foreach (var (number, user) in users.Index())
        {
            plan.Live.AddRange(user.Sessions);
            records[user] = await tokens.DeadMemberAsync(plan, user, number, cancellationToken);
        }

        await SpoilAsync(users, (database, user) => database.KeyDeleteAsync(records[user]), cancellationToken);
    }

    private async Task OrphanTokensAsync(DemoPlan plan, List<DemoUser> users, CancellationToken cancellationToken)
    {
        var indexes = new Dictionary<DemoUser, RedisKey>();
        foreach (var user in users)
        {
            indexes[user] = await tokens.LostIndexAsync(plan, user, cancellationToken);
        }

        await SpoilAsync(users, (database, user) => database.KeyDeleteAsync(indexes[user]), cancellationToken);
        foreach (var (number, user) in users.Index())
        {
            if (number % 2 == 0)
            {
                plan.Live.AddRange(user.Sessions);
            }
            else
            {
                await tokens.LogOutEverywhereAsync(plan, user, cancellationToken);
            }
        }
    }

    private async Task MoveTokenScoresAsync(DemoPlan plan, List<DemoUser> users, CancellationToken cancellationToken)
    {
        var scores = new Dictionary<DemoUser, (RedisKey Index, string Member, long Score)>();
        foreach (var user in users)
        {
            plan.Live.AddRange(user.Sessions);
            scores[user] = await tokens.WrongScoreAsync(plan, user, cancellationToken);
        }

        await SpoilAsync(users, (database, user) => database.SortedSetAddAsync(scores[user].Index, scores[user].Member, scores[user].Score), cancellationToken);
    }

    private async Task DropTokenTtlsAsync(DemoPlan plan, List<DemoUser> users, CancellationToken cancellationToken)
    {
        var damaged = new Dictionary<DemoUser, RedisKey>();
        foreach (var (number, user) in users.Index())
        {
            plan.Live.AddRange(user.Sessions);
            damaged[user] = await tokens.TtlAsync(plan, user, number, cancellationToken);
        }

        await SpoilAsync(users, (database, user) => database.KeyPersistAsync(damaged[user]), cancellationToken);
    }

    /// <summary>One raw command a user, pipelined.</summary>
    private async Task SpoilAsync(List<DemoUser> users, Func<IDatabaseAsync, DemoUser, Task> damage, CancellationToken cancellationToken)
    {
        foreach (var chunk in users.Chunk(500))
        {
            await connection.CallAsync(
                async database =>
                {
                    await Task.WhenAll(chunk.Select(user => damage(database, user)));
                    return true;
                },
                cancellationToken,
                Patience);
        }
    }

    private static string UnknownId(DemoUser user) => SessionToken.Create(user.Reference).Id.Value;

    private static void Count(DemoPlan plan, DemoDamage kind, int by = 1) => plan.Planted[kind] += by;

    private Guid NewGuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes);
    }
}
