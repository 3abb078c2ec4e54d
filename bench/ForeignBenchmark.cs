using System.Diagnostics;
using System.Globalization;
using Maintenance.Testing;
using Maintenance.Worker.ForeignLayouts;
using Maintenance.Worker.IndexReconciliation;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Bench;

/// <summary>A pass over the store of another program (JSON of 300 bytes a session, a set a user) against a bare SCAN of the same keys.</summary>
internal static class ForeignBenchmark
{
    private const int DefaultUsers = 25_000;
    private const int SessionsEach = 4;
    private const int Runs = 5;
    private const int UsersAtOnce = 100;

    private static readonly KeySpaceOptions Express = new() { Sessions = "sess:{session}", UserPath = "passport.user", Index = "user_sessions:{user}" };

    public static async Task RunAsync(string[] arguments)
    {
        var users = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : Effort.Users(DefaultUsers);
        await using var stage = await Stage.StartAsync();
        await FillAsync(stage, users);
        using var meters = new TestMeterFactory();
        var pass = new ForeignLayoutsPass(
            stage.Connection,
            stage.Keys,
            new SweepMetrics(meters),
            Options.Create(new KeySpacesOptions { Spaces = { ["express"] = Express } }),
            new Fixed<IndexReconciliationOptions>(new IndexReconciliationOptions()));

        await SweepBenchmark.ScanAsync(stage);
        await PassAsync(pass, users);
        var scans = new List<double>();
        var passes = new List<double>();
        for (var run = 0; run < Effort.Runs(Runs); run++)
        {
            scans.Add(await SweepBenchmark.ScanAsync(stage));
            passes.Add(await PassAsync(pass, users));
        }

        Console.WriteLine($"  {users * SessionsEach:N0} sessions of {users:N0} users");
        Console.WriteLine(Statistics.Row("pass / bare SCAN", [.. passes.Zip(scans, (one, scan) => one / scan)], "0.00"));
        Console.WriteLine(Statistics.Row("pass, s", passes, "0.000"));
        Console.WriteLine(Statistics.Row("bare SCAN, s", scans, "0.000"));
        Console.WriteLine($"  bytes of memory a session: {BytesASession(users * SessionsEach):0}");
    }

    private static async Task FillAsync(Stage stage, int users)
    {
        var filler = new string('x', 200);
        foreach (var chunk in Enumerable.Range(0, users).Chunk(UsersAtOnce))
        {
            await stage.Connection.CallAsync(
                async database =>
                {
                    await Task.WhenAll(chunk.SelectMany(user => Enumerable.Range(0, SessionsEach).SelectMany(_ =>
                    {
                        var session = Guid.NewGuid().ToString("N");
                        var json = $$"""{"cookie":{"originalMaxAge":86400000},"passport":{"user":"{{user}}"},"data":"{{filler}}"}""";
                        return (Task[])[
                            database.StringSetAsync($"sess:{session}", json, TimeSpan.FromDays(1)),
                            database.SetAddAsync($"user_sessions:{user}", session)];
                    })));
                    return true;
                },
                default);
        }
    }

    private static async Task<double> PassAsync(ForeignLayoutsPass pass, int users)
    {
        var context = new JobContext { Budget = WorkBudget.FullSpeed(TimeProvider.System), Brake = new Brake(new BrakeOptions()) };
        var watch = Stopwatch.StartNew();
        var (found, _) = await pass.RunAsync(context, default);
        var seconds = watch.Elapsed.TotalSeconds;
        return found["express"] == new ForeignFound(0, 0, 0, users * SessionsEach, users)
            ? seconds
            : throw new InvalidOperationException($"The pass found {found["express"]}.");
    }

    private static double BytesASession(int sessions)
    {
        var space = new KeySpace("express", Express);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var store = new ForeignStore(space);
        for (var i = 0; i < sessions; i++)
        {
            store.Add(new ForeignName(space, $"sess:{i}", IsIndex: false, $"{i}", ""), new ForeignValue(1000, "ann", Unreadable: false), now: 0);
        }

        var bytes = (double)(GC.GetTotalMemory(forceFullCollection: true) - before) / sessions;
        GC.KeepAlive(store);
        return bytes;
    }
}
