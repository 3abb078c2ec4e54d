using System.Text.Json;
using Maintenance.Worker.Scheduling;
using Spectre.Console;

namespace Maintenance.Worker.Demo;

/// <summary>Shows a demo to a person as a table, or to a script as one JSON object.</summary>
internal static class DemoPrinter
{
    private static readonly Dictionary<DemoDamage, string> Explanations = new()
    {
        [DemoDamage.ExpiredMembers] = "members past their time",
        [DemoDamage.DeletedSessions] = "members without a session",
        [DemoDamage.MissingSessions] = "live, but not in the index",
        [DemoDamage.LostIndexes] = "no index (sessions count above)",
        [DemoDamage.RevokedSessions] = "logged out, still stored",
        [DemoDamage.MissingTtl] = "keys that would never expire",
        [DemoDamage.WrongExpiry] = "score is not the expiry",
        [DemoDamage.ExpiredTokenMembers] = "the same, of token indexes",
        [DemoDamage.DeletedTokens] = "members without a token",
        [DemoDamage.OrphanedTokens] = "tokens that no index names",
        [DemoDamage.WrongTokenExpiry] = "score is not the token's expiry",
        [DemoDamage.MissingTokenTtl] = "tokens, counts, denials, ... for ever",
    };

    /// <summary>The kind as it is named in JSON: <c>expired_members</c>.</summary>
    public static string Name(DemoDamage damage) => JsonNamingPolicy.SnakeCaseLower.ConvertName(damage.ToString());

    public static void PrintTable(IAnsiConsole console, DemoPlan plan, DemoOutcome outcome)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("damage");
        foreach (var column in (string[])["planted", "found", "mended", "second pass"])
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        table.AddColumn("what it is");
        foreach (var (damage, planted) in plan.Planted)
        {
            table.AddRow(
                Name(damage),
                $"{planted}",
                $"{outcome.Found.GetValueOrDefault(damage)}",
                $"{outcome.Repaired.GetValueOrDefault(damage)}",
                $"{outcome.SecondPass.GetValueOrDefault(damage)}",
                Markup.Escape(Explanations[damage]));
        }

        console.Write(table);
        foreach (var result in outcome.Results.Where(result => result.Outcome != JobOutcome.Success))
        {
            console.WriteLine($"  {result.Job}: {result.Reason ?? string.Join("; ", result.Errors)}");
        }

        foreach (var warning in outcome.Results.SelectMany(result => result.Warnings).Distinct(StringComparer.Ordinal))
        {
            console.WriteLine($"  warning: {warning}");
        }

        var unavailable = outcome.Results.SelectMany(result => result.Unavailable).Distinct(StringComparer.Ordinal).ToArray();
        if (unavailable.Length > 0)
        {
            console.WriteLine($"  not reported by this server: {string.Join(", ", unavailable)}");
        }

        console.WriteLine($"  live sessions lost: {outcome.LiveSessionsLost}    revoked sessions alive: {outcome.RevokedSessionsAlive}");
        console.WriteLine($"  live refresh tokens lost: {outcome.LiveTokensLost}    dead refresh tokens alive: {outcome.DeadTokensAlive}");
    }

    public static string ToJson(DemoPlan plan, DemoOutcome outcome, TimeSpan elapsed) => JsonSerializer.Serialize(
        new
        {
            planted = Named(plan.Planted),
            found = Named(outcome.Found),
            repaired = Named(outcome.Repaired),
            second_pass = Named(outcome.SecondPass),
            live_sessions_lost = outcome.LiveSessionsLost,
            revoked_sessions_alive = outcome.RevokedSessionsAlive,
            live_tokens_lost = outcome.LiveTokensLost,
            dead_tokens_alive = outcome.DeadTokensAlive,
            users = plan.Users,
            sessions = plan.Sessions,
            seconds = Math.Round(elapsed.TotalSeconds, 2),
        });

    private static Dictionary<string, long> Named(SortedDictionary<DemoDamage, long> counts) =>
        counts.ToDictionary(count => Name(count.Key), count => count.Value, StringComparer.Ordinal);
}
