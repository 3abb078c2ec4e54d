using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.ForeignLayouts;
using Maintenance.Worker.IndexReconciliation;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.RedisTests.ForeignLayouts;

/// <summary>One program's store and the pass that looks after it.</summary>
internal sealed class ForeignHarness : IAsyncDisposable
{
    private readonly ForeignLayoutsPass pass;

    public ForeignHarness(
        RedisServer server,
        ForeignProgram program,
        KeySpaceAction action = KeySpaceAction.Repair,
        TimeSpan? grace = null,
        long mostSessions = 1000,
        string? user = null,
        string? password = null)
    {
        Program = program;
        program.Options.Action = action;
        program.Options.Grace = grace ?? TimeSpan.Zero;
        var spaces = new KeySpacesOptions { Spaces = { [program.Name] = program.Options } };
        new KeySpacesOptionsValidator().Validate(null, spaces).Failed.ShouldBeFalse();
        var options = JobHarness.Options(server);
        if (user is not null)
        {
            options = new RedisOptions { Host = "127.0.0.1", Port = server.Port, User = user, Password = password, Deadline = options.Deadline, ConnectTimeout = options.ConnectTimeout };
        }

        Connection = new RedisConnection(options, TimeProvider.System, NullLogger.Instance);
        pass = new ForeignLayoutsPass(
            Connection, new RedisKeys(""), new SweepMetrics(Meters), Options.Create(spaces),
            JobHarness.Monitor(new IndexReconciliationOptions { MaxSessionsInMemory = mostSessions }));
    }

    public ForeignProgram Program { get; }

    public TestMeterFactory Meters { get; } = new();

    public RedisConnection Connection { get; }

    public static ForeignProgram Create(string name, Func<byte[][], Task<object?>> redis) => name switch
    {
        "express" => new ExpressProgram(redis),
        "spring" => new SpringProgram(redis),
        "named" => new NamedProgram(redis),
        _ => new HashProgram(redis),
    };

    /// <summary>One pass, without an error.</summary>
    public async Task<(JobReport Report, ForeignFound Found)> RunAsync(bool dryRun = false, BrakeOptions? brake = null)
    {
        var context = SweepHarness.Context(dryRun, brake);
        var (found, braked) = await pass.RunAsync(context, CancellationToken.None);
        context.Report.ErrorCount.ShouldBe(0, string.Join('\n', context.Report.Close().Errors));
        return braked is null ? (context.Report, found[Program.Name]) : throw braked;
    }

    /// <summary>One pass that ends with errors.</summary>
    public async Task<IReadOnlyList<string>> FailAsync()
    {
        var context = SweepHarness.Context();
        var (found, _) = await pass.RunAsync(context, CancellationToken.None);
        found.ShouldBeEmpty();
        return context.Report.Close().Errors;
    }

    /// <summary>Drift that was mended, and expired members that were removed.</summary>
    public long Mended(JobReport report) => report.Count($"foreign_{Program.Name}_mended") + report.Count($"foreign_{Program.Name}_expired_removed");

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        Meters.Dispose();
    }
}
