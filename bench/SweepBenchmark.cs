using System.Diagnostics;
using System.Globalization;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Storage.Tokens.Repair;
using Maintenance.Testing;
using Maintenance.Worker.IndexReconciliation;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Bench;

/// <summary>A whole reconciliation at full speed against the ceiling: a bare SCAN COUNT 1000 of the same keyspace on the same connection, in turn.</summary>
internal static class SweepBenchmark
{
    private const int DefaultUsers = 25_000;
    private const int SessionsEach = 4;
    private const int Runs = 5;

    public static async Task RunAsync(string[] arguments)
    {
        var users = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : Effort.Users(DefaultUsers);
        await using var stage = await Stage.StartAsync();
        await stage.FillAsync(users, SessionsEach);
        using var meters = new TestMeterFactory();
        var job = new IndexReconciliationJob(
            stage.Connection,
            stage.Keys,
            new SessionRepair(stage.Connection, stage.Keys, new Fixed<SessionOptions>(new SessionOptions())),
            new TokenRepair(stage.Connection, stage.Keys),
            new Fixed<IndexReconciliationOptions>(new IndexReconciliationOptions()),
            new SweepMetrics(meters),
            TimeProvider.System);

        await ScanAsync(stage);
        await SweepAsync(job);
        var scans = new List<double>();
        var sweeps = new List<double>();
        for (var run = 0; run < Effort.Runs(Runs); run++)
        {
            scans.Add(await ScanAsync(stage));
            sweeps.Add(await SweepAsync(job));
        }

        Console.WriteLine($"  {users * SessionsEach:N0} sessions of {users:N0} users");
        Console.WriteLine(Statistics.Row("reconciliation / bare SCAN", [.. sweeps.Zip(scans, (sweep, scan) => sweep / scan)], "0.00"));
        Console.WriteLine(Statistics.Row("reconciliation, s", sweeps, "0.000"));
        Console.WriteLine(Statistics.Row("bare SCAN, s", scans, "0.000"));
    }

    private static async Task<double> SweepAsync(IndexReconciliationJob job)
    {
        var context = new JobContext { Budget = WorkBudget.FullSpeed(TimeProvider.System), Brake = new Brake(new BrakeOptions()) };
        var watch = Stopwatch.StartNew();
        await job.RunAsync(context, default);
        return context.Report.ErrorCount == 0 ? watch.Elapsed.TotalSeconds : throw new InvalidOperationException("The reconciliation reported errors.");
    }

    /// <summary>A bare SCAN of everything, s.</summary>
    public static async Task<double> ScanAsync(Stage stage)
    {
        var watch = Stopwatch.StartNew();
        var cursor = "0";
        do
        {
            var at = cursor;
            var page = (RedisResult[])(await stage.Connection.CallAsync(d => d.ExecuteAsync("SCAN", at, "COUNT", "1000"), default))!;
            _ = (string[])page[1]!;
            cursor = (string)page[0]!;
        }
        while (cursor != "0");
        return watch.Elapsed.TotalSeconds;
    }
}
