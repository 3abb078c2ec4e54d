using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Maintenance.Archive;
using Maintenance.Archive.Migrations;
using Maintenance.Storage.Archive;
using Maintenance.Worker.Hosting;
using Maintenance.Worker.Scheduling;
using Npgsql;

namespace Maintenance.Worker.Cli;

/// <summary><c>archive migrate</c> and <c>archive replay</c>: what operators do with the durable copy.</summary>
internal static class ArchiveVerbs
{
    public static Command Create() => new Command("archive", "The durable copy of sessions in PostgreSQL (Archive:ConnectionString).")
    {
        CreateMigrate(),
        CreateReplay(),
    };

    private static Command CreateMigrate()
    {
        var command = new Command("migrate", "Bring the archive's tables up to date. Safe to run anywhere, by many at the same time.");
        command.SetAction((_, cancellationToken) => MigrateAsync(cancellationToken));
        return command;
    }

    private static Command CreateReplay()
    {
        var since = new Option<DateTimeOffset>("--since")
        {
            Description = "Only what has ended since, by PostgreSQL's clock, for example 2030-01-31T06:00:00Z; default: everything that is remembered",
            DefaultValueFactory = _ => DateTimeOffset.UnixEpoch,
            CustomParser = result =>
            {
                if (DateTimeOffset.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
                {
                    return time;
                }

                result.AddError($"--since is '{result.Tokens[0].Value}'; expected a time such as 2030-01-31T06:00:00Z.");
                return default;
            },
        };
        var json = new Option<bool>("--json") { Description = "Print one JSON document" };
        var command = new Command("replay", "After Redis was restored from a backup: end again what has ended since. Run it before hosts use that Redis.") { since, json };
        command.SetAction((parsed, cancellationToken) => ReplayAsync(parsed.GetValue(since), parsed.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> MigrateAsync(CancellationToken cancellationToken)
    {
        using var host = WorkerHost.BuildTool();
        WorkerHost.CheckSettings(host.Services);
        var database = host.Services.GetService<ArchiveDatabase>() ?? throw NotConfigured();
        try
        {
            var applied = await database.MigrateAsync(host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Maintenance.Archive"), cancellationToken);
            await Console.Out.WriteLineAsync(applied.Count == 0 ? "Nothing to apply." : $"Applied {string.Join(", ", applied)}.");
            return ExitCodes.Done;
        }
        catch (Exception exception) when (exception is SchemaMigrationException or NpgsqlException)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitCodes.Failed;
        }
    }

    private static async Task<int> ReplayAsync(DateTimeOffset since, bool json, CancellationToken cancellationToken)
    {
        using var host = WorkerHost.BuildTool();
        WorkerHost.CheckSettings(host.Services);
        var replay = host.Services.GetService<ArchiveReplay>() ?? throw NotConfigured();
        var result = await replay.RunAsync(since, null, cancellationToken);
        await Console.Out.WriteLineAsync(json
            ? JsonSerializer.Serialize(result, JobResultJson.Options)
            : $"{result.GenerationsRaised} of {result.Generations} generations raised, {result.SessionsEnded} of {result.Sessions} ended sessions ended again.");
        return ExitCodes.Done;
    }

    private static ConfigurationException NotConfigured() =>
        new([$"{ArchiveOptions.Section}:ConnectionString (or {ArchiveOptions.Section}__ConnectionString) is not set: there is no archive."]);
}
