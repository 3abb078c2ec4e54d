using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Worker.KeyspaceStats;

/// <summary>Counts keys by kind in one walk, and asks a sample of each kind for lives and bytes.</summary>
public sealed class KeyspaceStatsJob(
    RedisConnection connection, RedisKeys keys, IOptionsMonitor<KeyspaceStatsOptions> options, TimeProvider timeProvider) : IMaintenanceJob
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public string Name => JobNames.KeyspaceStats;

    /// <inheritdoc/>
    public async Task RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        // A seed of each run's own: the same keys must not be drawn every time.
        var random = new Random();
        var tallies = KeyKinds.All.ToDictionary(kind => kind, _ => new KindTally(options.CurrentValue.SampleKeysPerKind, random), StringComparer.Ordinal);
        // 20 bytes or so a user for the length of the run.
        var users = new HashSet<UserReference>();
        var walk = new KeyspaceWalk(connection, context, Deadline);
        await foreach (var page in walk.PagesAsync(cancellationToken))
        {
            foreach (var name in page)
            {
                var ours = keys.TryParse((string?)name, out var parsed);
                tallies[ours ? parsed.Kind.Label() : KeyKinds.Foreign].Add(name);
                if (ours && parsed.Kind == StateKind.Session)
                {
                    users.Add(parsed.User);
                }
            }

            context.Report.Add("keys_scanned", page.Length);
            context.Progress?.Report(new JobProgress("scan", context.Report.Count("keys_scanned"), null));
        }

        var figures = new SortedDictionary<string, KindFigures>(StringComparer.Ordinal);
        foreach (var (kind, tally) in tallies)
        {
            var lives = await LivesAsync(tally.Sample, context, cancellationToken);
            var sizes = await KeySizes.MeasureAsync(connection, tally.Sample, context, Deadline, cancellationToken);
            figures[kind] = tally.Figures(lives, sizes);
        }

        var sessions = figures[StateKind.Session.Label()].Keys;
        context.Report.Add("keys_foreign", figures[KeyKinds.Foreign].Keys);
        context.Report.Add("sessions_active", sessions);
        context.Report.Add("users_active", users.Count);
        context.Report.SetSnapshot(new KeyspaceStatsSnapshot
        {
            Kinds = figures,
            SessionsActive = sessions,
            UsersActive = users.Count,
            At = timeProvider.GetUtcNow(),
        });
    }

    private async Task<IReadOnlyList<long>> LivesAsync(IReadOnlyList<RedisKey> names, JobContext context, CancellationToken cancellationToken)
    {
        var lives = new List<long>(names.Count);
        foreach (var batch in names.Chunk(context.Budget.BatchSize))
        {
            var replies = await context.Budget.SpendAsync(
                batch.Length,
                () => connection.CallAsync(database => Task.WhenAll(batch.Select(name => database.ExecuteAsync("PTTL", name))), cancellationToken, Deadline),
                cancellationToken);
            lives.AddRange(replies.Select(reply => (long)reply));
        }

        return lives;
    }
}
