using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Maintenance.Storage.Analytics;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Worker.Cli;
using Maintenance.Worker.Hosting;
using Maintenance.Worker.Scheduling;
using Spectre.Console;

namespace Maintenance.Worker.Demo;

/// <summary><c>demo</c>: a store damaged on purpose, found out and mended.</summary>
internal static class DemoVerb
{
    private const int DefaultSeed = 20_261;

    public static Command Create()
    {
        var exit = new Option<bool>("--exit") { Description = "Stop when the table is printed, instead of serving until Ctrl-C" };
        var json = new Option<bool>("--json") { Description = "Print one JSON document instead of the table; implies --exit" };
        var redis = new Option<string?>("--redis") { Description = "Use this server instead of the embedded store, under a prefix that is removed afterwards" };
        var prefix = new Option<string?>("--prefix") { Description = "Key prefix to use with --redis; refused if keys lie under it. Default: a random one" };
        var users = new Option<int>("--users") { Description = "Users to create", DefaultValueFactory = _ => DemoPlanter.DefaultUsers };
        var seed = new Option<int>("--seed") { Description = "Draws another store", DefaultValueFactory = _ => DefaultSeed };
        users.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1000 or > 1_000_000)
            {
                result.AddError("--users: expected 1000 to 1000000.");
            }
        });
        var command = new Command("demo", "Fill a store, damage it on purpose, let every job find and mend it, and show what was wrong.")
        {
            exit, json, redis, prefix, users, seed,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(prefix) is not null && result.GetValue(redis) is null)
            {
                result.AddError("--prefix is for --redis; the embedded store is the demo's alone.");
            }
            else if (result.GetValue(prefix) is { Length: 0 })
            {
                result.AddError("--prefix is empty; the demo removes every key under its prefix.");
            }
        });
        command.SetAction((parsed, cancellationToken) => RunAsync(
            new DemoRequest(
                parsed.GetValue(exit) || parsed.GetValue(json),
                parsed.GetValue(json),
                parsed.GetValue(redis),
                parsed.GetValue(prefix),
                parsed.GetValue(users),
                parsed.GetValue(seed)),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(DemoRequest request, CancellationToken cancellationToken)
    {
        var clock = TimeProvider.System;
        var started = clock.GetTimestamp();
        DemoStore store;
        try
        {
            Say(request.RedisUrl is null ? "Starting the embedded store" : "Connecting");
            store = await DemoStore.OpenAsync(request.RedisUrl, request.Prefix, clock, cancellationToken);
        }
        catch (EmbeddedStoreException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitCodes.Failed;
        }

        await using var opened = store;
        var port = request.Exits ? 0 : PortToServeOn();
        await using var app = WorkerHost.BuildServer(Settings(store, port));
        WorkerHost.CheckSettings(app.Services);
        var connection = app.Services.GetRequiredService<RedisConnection>();
        await connection.ConnectAsync(cancellationToken);
        if (await store.HoldsKeysAsync(connection, cancellationToken))
        {
            throw new ConfigurationException([$"Keys lie under the prefix '{store.Prefix}' already; name another with --prefix."]);
        }

        try
        {
            var agrees = await PlayAsync(app.Services, request, clock, started, cancellationToken);
            if (!request.Exits)
            {
                await ServeAsync(app, port, cancellationToken);
            }

            return agrees ? ExitCodes.Done : ExitCodes.Failed;
        }
        finally
        {
            // Ctrl-C too must leave nothing behind, nor what is still on its way.
            await (app.Services.GetRequiredService<ISessionStore>() is RecordingSessionStore recording ? recording.DrainAsync() : Task.CompletedTask);
            await store.RemoveKeysAsync(connection, CancellationToken.None);
        }
    }

    private static async Task<bool> PlayAsync(
        IServiceProvider services, DemoRequest request, TimeProvider clock, long started, CancellationToken cancellationToken)
    {
        var connection = services.GetRequiredService<RedisConnection>();
        var sessions = services.GetRequiredService<ISessionStore>();
        Say($"Logging in {request.Users:N0} users");
        var tokens = ActivatorUtilities.CreateInstance<TokenPlanter>(services);
        var planter = new DemoPlanter(connection, services.GetRequiredService<RedisKeys>(), sessions, tokens, clock, request.Seed);
        var plan = await planter.PlantAsync(request.Users, new Reporter<(int Done, int Total)>(step => Say($"  {step.Done:N0} of {step.Total:N0}")), cancellationToken);
        Say($"{plan.Sessions:N0} sessions of {plan.Users:N0} users, {plan.Planted.Values.Sum():N0} places damaged: "
            + string.Join(", ", plan.Planted.Select(planted => $"{planted.Value:N0} {DemoPrinter.Name(planted.Key)}")));

        var runner = services.GetRequiredService<JobRunner>();
        var run = new DemoRun(
            (job, dryRun, token) => runner.RunAsync(new RunRequest(job) { DryRun = dryRun, FullSpeed = true }, token), sessions, services.GetRequiredService<IRefreshTokenStore>());
        var outcome = await run.RunAsync(plan, new Reporter<string>(Say), cancellationToken);
        var elapsed = clock.GetElapsedTime(started);
        if (request.Json)
        {
            await Console.Out.WriteLineAsync(DemoPrinter.ToJson(plan, outcome, elapsed));
        }
        else
        {
            if (Console.IsOutputRedirected)
            {
                // A file or a pipe has no width; the table needs this much to stand in single lines.
                AnsiConsole.Console.Profile.Width = 110;
            }

            DemoPrinter.PrintTable(AnsiConsole.Console, plan, outcome);
            var verdict = outcome.Agrees(plan)
                ? "All that was planted was found and mended, the second pass found nothing, and no session was wronged"
                : "What was found is not what was planted";
            await Console.Out.WriteLineAsync($"{verdict} ({elapsed.TotalSeconds:0.0} s).");
        }

        return outcome.Agrees(plan);
    }

    private static async Task ServeAsync(WebApplication app, int port, CancellationToken cancellationToken)
    {
        await app.StartAsync(cancellationToken);
        await Console.Out.WriteLineAsync($"""

            The worker goes on serving this store. Look at
              http://127.0.0.1:{port}/metrics    what Prometheus scrapes
              http://127.0.0.1:{port}/health     every check, as JSON
              http://127.0.0.1:{port}/api/jobs   jobs, schedules, last results
            Ctrl-C ends it.
            """);
        await app.WaitForShutdownAsync(cancellationToken);
    }

    // The demo must work beside a worker that has the port; only a port that somebody asked for is insisted on.
    private static int PortToServeOn()
    {
        if (Environment.GetEnvironmentVariable("Management__Port") is { } asked && int.TryParse(asked, out var port))
        {
            return port;
        }

        var usual = new ManagementOptions().Port;
        return TryListen(usual) ?? TryListen(0) ?? usual;
    }

    private static int? TryListen(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static Dictionary<string, string?> Settings(DemoStore store, int port) => new(StringComparer.OrdinalIgnoreCase)
    {
        ["Storage:Redis:Enabled"] = "true",
        ["Storage:Redis:Url"] = store.Url,
        ["Storage:Redis:KeyPrefix"] = store.Prefix,
        // The embedded store shares a small machine with its client.
        ["Storage:Redis:Deadline"] = "00:00:30",
        // What the shell says of another Redis is not meant for this one.
        ["Storage:Redis:Password"] = store.IsEmbedded ? "" : null,
        ["Storage:Redis:User"] = store.IsEmbedded ? "" : null,
        ["Storage:Redis:Database"] = store.IsEmbedded ? "0" : null,
        ["Storage:Redis:Tls:Enabled"] = store.IsEmbedded ? "false" : null,
        // Whoever runs it in a real worker's pod must not fill the real archive.
        ["Archive:ConnectionString"] = "",
        ["Jobs:Paused"] = "false",
        ["Management:Address"] = "127.0.0.1",
        ["Management:Port"] = port > 0 ? $"{port}" : null,
        ["Logging:LogLevel:Default"] = "Error",
        ["Logging:LogLevel:Maintenance"] = "Error",
    };

    private static void Say(string text) => Console.Error.WriteLine(text);

    private sealed record DemoRequest(bool Exits, bool Json, string? RedisUrl, string? Prefix, int Users, int Seed);

    /// <summary>Reports at once, on the thread that reports; the framework's own posts to the pool and would come out of order.</summary>
    private sealed class Reporter<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
