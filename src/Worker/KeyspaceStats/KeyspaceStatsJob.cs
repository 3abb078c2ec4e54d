using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Worker.KeyspaceStats;

/// <summary>Counts keys by kind in one walk, and asks a sample of each kind for lives and bytes.</summary>
public sealed class KeyspaceStatsJob(
    RedisConnection connection, RedisKeys keys, IOptionsMonitor<KeyspaceStatsOptions> options, SweepMetrics metrics, TimeProvider timeProvider) : IMaintenanceJob
{
    /// <inheritdoc/>
    public string Name => JobNames.KeyspaceStats;

    /// <inheritdoc/>
    public async Task RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        // A seed of each run's own: the same keys must not be drawn every time.
        var random = new Random();
        var tallies = StateKinds.All.ToDictionary(kind => kind, _ => new KindTally(options.CurrentValue.SampleKeysPerKind, random));
        var users = new DistinctUsers();
        var scans = new List<(RedisPrimary Primary, KeyspaceScan Scan)>();
        var complete = await EachPrimary.RunAsync(
            connection,
            context,
            async primary =>
            {
                var scan = new KeyspaceScan(primary.Connection, keys, context);
                scans.Add((primary, scan));
                long counted = 0;
                await foreach (var page in scan.PagesAsync(cancellationToken))
                {
                    metrics.Scanned(scan.Scanned - counted);
                    counted = scan.Scanned;
                    foreach (var key in page)
                    {
                        tallies[key.Parsed.Kind].Add(key.Name);
                        if (key.Parsed.Kind == StateKind.Session)
                        {
                            users.Add(key.Parsed.User);
                        }
                    }

                    context.Progress?.Report(new JobProgress("scan", scans.Sum(each => each.Scan.Scanned), null));
                }
            },
            cancellationToken);

        // A part of the keys would look like a store that has shrunk; the gauges keep what the last whole walk found.
        if (!complete || scans.Exists(each => each.Scan.Refused))
        {
            return;
        }

        var foreign = scans.Sum(each => each.Scan.Foreign);
        var figures = new SortedDictionary<string, KindFigures>(StringComparer.Ordinal)
        {
            [KeyKinds.Foreign] = new KindFigures { Keys = foreign },
        };
        foreach (var (kind, tally) in tallies)
        {
            var lives = await LivesAsync(tally.Sample, context, cancellationToken);
            var sizes = await KeySizes.MeasureAsync(connection, tally.Sample, context, KeyspaceScan.DeadlineOf(connection), cancellationToken);
            figures[kind.Label()] = tally.Figures(lives, sizes);
        }

        var sessions = tallies[StateKind.Session].Keys;
        KeyspaceScan.WarnOfAnotherPrefix(context, keys, sessions, scans.Find(each => each.Scan.OtherPrefix is not null).Scan?.OtherPrefix);
        context.Report.Add("keys_scanned", scans.Sum(each => each.Scan.Scanned));
        context.Report.Add("foreign_keys", foreign);
        context.Report.Add("sessions_active", sessions);
        context.Report.Add("users_active", users.Count);
        context.Report.SetSnapshot(new KeyspaceStatsSnapshot
        {
            Kinds = figures,
            Nodes = [.. scans.Where(each => each.Primary.Node is not null).Select(each => new NodeKeys(each.Primary.Name, each.Scan.Scanned))],
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
                "lives",
                batch.Length,
                () => connection.CallAsync(database => Task.WhenAll(batch.Select(name => database.ExecuteAsync("PTTL", name))), cancellationToken, KeyspaceScan.DeadlineOf(connection)),
                cancellationToken);
            lives.AddRange(replies.Select(reply => (long)reply));
        }

        return lives;
    }
}
