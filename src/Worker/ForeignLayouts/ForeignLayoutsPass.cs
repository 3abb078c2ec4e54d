using Maintenance.Storage.Redis;
using Maintenance.Worker.IndexReconciliation;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Worker.ForeignLayouts;

/// <summary>
/// The part of <c>index-reconciliation</c> that looks after stores which other programs write. They know neither one slot a user nor generations, so a
/// session and its index may lie on two nodes of a cluster, and both are compared only when every node has been scanned.
/// </summary>
public sealed class ForeignLayoutsPass
{
    private readonly RedisConnection connection;
    private readonly RedisKeys keys;
    private readonly SweepMetrics metrics;
    private readonly IOptionsMonitor<IndexReconciliationOptions> options;
    private readonly List<KeySpace> spaces;

    /// <summary>Creates it.</summary>
    public ForeignLayoutsPass(
        RedisConnection connection, RedisKeys keys, SweepMetrics metrics, IOptions<KeySpacesOptions> spaces, IOptionsMonitor<IndexReconciliationOptions> options)
    {
        ArgumentNullException.ThrowIfNull(spaces);
        (this.connection, this.keys, this.metrics, this.options) = (connection, keys, metrics, options);
        this.spaces = [.. spaces.Value.Spaces.OrderBy(space => space.Key, StringComparer.Ordinal).Select(space => new KeySpace(space.Key, space.Value))];
    }

    /// <summary>Looks at every store.</summary>
    /// <returns>What was found, by name; and the first stop of the brake, after which the other stores were worked on all the same.</returns>
    public async Task<(IReadOnlyDictionary<string, ForeignFound> Found, BrakeException? Braked)> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var found = new Dictionary<string, ForeignFound>(StringComparer.Ordinal);
        BrakeException? braked = null;
        if (spaces.Count == 0)
        {
            return (found, braked);
        }

        try
        {
            foreach (var pass in await CompareAsync(context, cancellationToken))
            {
                try
                {
                    await pass.MendAsync(cancellationToken);
                }
                catch (BrakeException exception)
                {
                    braked ??= exception;
                }

                found[pass.Name] = pass.Found;
            }
        }
        catch (RedisServerException exception)
        {
            // As a rule NOPERM. The server's text names no key.
            context.Report.Error($"Redis refuses what {KeySpacesOptions.Section} needs ({string.Join(", ", spaces.Select(space => space.Name))}): {exception.Message} See docs/worker.md for the rights of the worker's user.");
        }

        return (found, braked);
    }

    private async Task<IReadOnlyList<KeySpacePass>> CompareAsync(JobContext context, CancellationToken cancellationToken)
    {
        var stores = spaces.Select(space => new ForeignStore(space)).ToList();
        var most = options.CurrentValue.MaxSessionsInMemory;
        var sweep = new ForeignSweep(connection, stores, most, context);
        var cluster = false;
        if (!await ScanAsync(context, spaces, async (primary, scan) =>
            {
                cluster |= primary.Node is not null;
                await sweep.RunAsync(scan, cancellationToken);
            }, cancellationToken))
        {
            return [];
        }

        var passes = new List<KeySpacePass>();
        foreach (var store in stores)
        {
            if (store.TooMany)
            {
                context.Report.Error($"{store.Space.Setting} has more sessions than Jobs:IndexReconciliation:MaxSessionsInMemory allows ({most}); raise it. Nothing was compared there.");
                continue;
            }

            var pass = new KeySpacePass(connection, keys, store, cluster, metrics, context);
            await pass.CompareAsync(cancellationToken);
            passes.Add(pass);
        }

        await NameNotIndexedAsync(passes, context, cancellationToken);
        return passes;
    }

    // Only fingerprints were kept; the few that matter are met again.
    private async Task NameNotIndexedAsync(List<KeySpacePass> passes, JobContext context, CancellationToken cancellationToken)
    {
        var wanted = passes.Where(pass => pass.NotIndexed.Count > 0).ToDictionary(pass => pass.Name, StringComparer.Ordinal);
        if (wanted.Count == 0)
        {
            return;
        }

        await ScanAsync(context, [.. spaces.Where(space => wanted.ContainsKey(space.Name))], async (_, scan) =>
        {
            await foreach (var page in scan.PagesAsync(cancellationToken))
            {
                foreach (var names in page.Where(name => !name.IsIndex).GroupBy(name => name.Space.Name, StringComparer.Ordinal))
                {
                    var pass = wanted[names.Key];
                    await pass.SuspectAsync([.. names.Where(name => pass.NotIndexed.Remove(KeySpace.Fingerprint(name.Key)))], cancellationToken);
                }
            }
        }, cancellationToken);
    }

    // With one server missing, every session of it would seem to be gone.
    private async Task<bool> ScanAsync(
        JobContext context, IReadOnlyList<KeySpace> looked, Func<RedisPrimary, ForeignNameScan, Task> work, CancellationToken cancellationToken)
    {
        var refused = false;
        var whole = await EachPrimary.RunAsync(
            connection,
            context,
            async primary =>
            {
                var scan = new ForeignNameScan(primary.Connection, keys, looked, context, metrics);
                await work(primary, scan);
                refused |= scan.Refused;
            },
            cancellationToken);
        if (!whole)
        {
            context.Report.Warn($"Not every node was scanned: the stores under {KeySpacesOptions.Section} were not compared.");
        }

        return whole && !refused;
    }
}
