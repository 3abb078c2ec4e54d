using System.Collections.Concurrent;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Worker.RedisTests.IndexReconciliation;

public sealed class LiveTrafficTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private const int Clients = 8;
    private static readonly TimeSpan Traffic = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongestTraffic = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Trap1And2_Run_LosesNoLiveSessionAndRevivesNoRevokedOne_WhileClientsLogInRenewAndLogOut()
    {
        await redis.Server.FlushAllAsync();
        // Every validation renews, so that records, scores and TTLs move under the sweep all the time.
        await using var sweep = new SweepHarness(redis.Server, new SessionOptions { RenewalInterval = TimeSpan.Zero });
        await sweep.PopulateAsync(2000);
        using var end = new CancellationTokenSource(LongestTraffic, TimeProvider.System);
        var (live, revoked) = (new ConcurrentBag<IssuedSession>(), new ConcurrentBag<IssuedSession>());
        var lost = new ConcurrentBag<string>();

        var passes = 0;
        var sweeping = Task.Run(() => SweepAsync(sweep, () => Interlocked.Increment(ref passes), end.Token));
        var clients = Task.WhenAll(Enumerable.Range(0, Clients).Select(number => Task.Run(() => ClientAsync(sweep, number, live, revoked, lost, end.Token))));
        await Task.WhenAny(sweeping, clients, Task.Delay(Traffic, TimeProvider.System));
        // A busy machine takes longer for as much traffic.
        await Eventually.TrueAsync(() => sweeping.IsCompleted || clients.IsCompleted || (Volatile.Read(ref passes) > 5 && revoked.Count > 500), LongestTraffic);
        await end.CancelAsync();
        await clients;
        await sweeping;

        passes.ShouldBeGreaterThan(5);
        live.Count.ShouldBeGreaterThan(50);
        revoked.Count.ShouldBeGreaterThan(500);
        lost.ShouldBeEmpty();
        foreach (var session in live)
        {
            (await sweep.IsValidAsync(session)).ShouldBeTrue();
        }

        foreach (var session in revoked)
        {
            (await sweep.IsValidAsync(session)).ShouldBeFalse();
        }

        await sweep.ReconcileAsync();
        await sweep.ShouldAgreeAsync();
        (await sweep.ReconcileAsync()).Close().Counts.Keys.ShouldNotContain(name => name.StartsWith("drift_", StringComparison.Ordinal));
    }

    private static async Task SweepAsync(SweepHarness sweep, Action passed, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            var report = await sweep.ReconcileAsync();
            // Nothing but traffic happened: whatever a script confirms now would be a session that the sweep got wrong.
            report.Close().Counts.Keys.ShouldNotContain(name => name.StartsWith("drift_", StringComparison.Ordinal));
            await sweep.CleanAsync();
            passed();
        }
    }

    private static async Task ClientAsync(
        SweepHarness sweep, int number, ConcurrentBag<IssuedSession> live, ConcurrentBag<IssuedSession> revoked, ConcurrentBag<string> lost, CancellationToken end)
    {
        var random = new Random(number);
        var mine = new List<IssuedSession>();
        var users = Enumerable.Range(0, 20).Select(_ => SweepHarness.NewUserId()).ToArray();
        while (!end.IsCancellationRequested)
        {
            if (mine.Count < 10 || random.Next(3) == 0)
            {
                mine.Add(await sweep.LogInAsync(users[random.Next(users.Length)]));
            }

            var chosen = mine[random.Next(mine.Count)];
            if (!await sweep.IsValidAsync(chosen))
            {
                lost.Add(chosen.Token.Id.ToLogString());
            }

            switch (random.Next(10))
            {
                case < 4:
                    await sweep.Store.RevokeAsync(chosen.Session.UserId, chosen.Token.Id, CancellationToken.None);
                    mine.Remove(chosen);
                    revoked.Add(chosen);
                    break;
                case 4:
                    await sweep.Store.RevokeAllAsync(chosen.Session.UserId, null, CancellationToken.None);
                    foreach (var session in mine.Where(session => session.Session.UserId == chosen.Session.UserId).ToList())
                    {
                        mine.Remove(session);
                        revoked.Add(session);
                    }

                    break;
            }
        }

        foreach (var session in mine)
        {
            live.Add(session);
        }
    }
}
