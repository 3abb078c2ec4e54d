using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions.Inspection;
using Maintenance.Worker.Hosting;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Cli;

/// <summary><c>find &lt;userId&gt;</c>: what Redis holds of a user, readable.</summary>
internal static class FindVerb
{
    public static Command Create()
    {
        var userId = new Argument<string>("userId") { Description = "The user's id, as the web host knows it" };
        var scan = new Option<bool>("--scan") { Description = "Look through the whole keyspace too: finds sessions that the index has lost" };
        var json = new Option<bool>("--json") { Description = "Print one JSON document" };
        var command = new Command("find", "Show the keys of a user: sessions, their index and generation. No secret is shown; none is stored.") { userId, scan, json };
        userId.Validators.Add(result =>
        {
            try
            {
                UserReference.Of(result.GetValueOrDefault<string>());
            }
            catch (ArgumentException exception)
            {
                result.AddError($"userId: {exception.Message}");
            }
        });
        command.SetAction((parsed, cancellationToken) =>
            FindAsync(parsed.GetRequiredValue(userId), parsed.GetValue(scan), parsed.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> FindAsync(string userId, bool scan, bool json, CancellationToken cancellationToken)
    {
        using var host = WorkerHost.BuildTool();
        WorkerHost.CheckSettings(host.Services);
        var found = await host.Services.GetRequiredService<UserInspector>().InspectAsync(userId, scan, cancellationToken);
        if (json)
        {
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(Plain(found), JobResultJson.Options));
        }
        else
        {
            await WriteAsync(Console.Out, found);
        }

        return ExitCodes.Done;
    }

    private static async Task WriteAsync(TextWriter output, UserInspection found)
    {
        await output.WriteLineAsync($"User reference {found.User.ToTagged()}");
        await output.WriteLineAsync(found.Generation is { } generation
            ? $"Generation {generation} ({Time(DateTimeOffset.UnixEpoch.AddMicroseconds(generation))})"
            : "Generation missing: every session of the user is denied");
        await output.WriteLineAsync($"Index {found.IndexMembers} members, {Life(found.IndexTimeToLive)}");
        foreach (var name in found.UnreadableKeys)
        {
            await output.WriteLineAsync($"Unreadable {name}: the key holds another type; somebody else has written it");
        }

        foreach (var item in found.Sessions)
        {
            await output.WriteLineAsync($"Session {item.Id}: {Text(item.State)}, {Life(item.TimeToLive)}, index {(item.IndexScore is { } score ? Time(score) : "does not have it")}");
            if (item.Session is { } session)
            {
                await output.WriteLineAsync($"  created {Time(session.CreatedAt)}, last seen {Time(session.LastSeenAt)}, ends {Time(session.ExpiresAt)}, at the latest {Time(session.AbsoluteExpiresAt)}");
                await output.WriteLineAsync($"  generation {session.Generation} ({(session.Generation == found.Generation ? "the user's" : "not the user's")})");
                await output.WriteLineAsync($"  device {session.DeviceName ?? "not named"}, address {session.IpAddress?.ToString() ?? "not known"}");
                await output.WriteLineAsync($"  user agent {session.UserAgent ?? "not known"}");
            }
        }

        foreach (var key in found.OtherKeys)
        {
            await output.WriteLineAsync($"{key.Kind?.Label() ?? "foreign"} {key.Name}, {Life(key.TimeToLive)}");
        }
    }

    // Claims stay out: they are the host's, and nobody knows what it keeps there.
    private static object Plain(UserInspection found) => new
    {
        UserReference = found.User.ToTagged(),
        found.Generation,
        found.IndexMembers,
        found.UnreadableKeys,
        IndexTtlSeconds = found.IndexTimeToLive?.TotalSeconds,
        Sessions = found.Sessions.Select(item => new
        {
            Id = item.Id.Value,
            State = Text(item.State),
            TtlSeconds = item.TimeToLive?.TotalSeconds,
            item.IndexScore,
            item.Session?.CreatedAt,
            item.Session?.LastSeenAt,
            item.Session?.ExpiresAt,
            item.Session?.AbsoluteExpiresAt,
            item.Session?.Generation,
            GenerationMatches = item.Session is null ? (bool?)null : item.Session.Generation == found.Generation,
            item.Session?.DeviceName,
            IpAddress = item.Session?.IpAddress?.ToString(),
            item.Session?.UserAgent,
        }),
        OtherKeys = found.OtherKeys.Select(key => new { key.Name, Kind = key.Kind?.Label() ?? "foreign", TtlSeconds = key.TimeToLive?.TotalSeconds }),
    };

    private static string Text(InspectedState state) => state switch
    {
        InspectedState.Valid => "valid",
        InspectedState.Revoked => "revoked",
        InspectedState.Gone => "gone",
        InspectedState.Alias => "alias",
        _ => "unreadable",
    };

    private static string Life(TimeSpan? life) => life is { } left ? $"ends in {left:d\\.hh\\:mm\\:ss}" : "no TTL";

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
