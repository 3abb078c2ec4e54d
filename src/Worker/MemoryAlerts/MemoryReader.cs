using Maintenance.Storage.Redis;
using Maintenance.Worker.KeyspaceStats;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.MemoryAlerts;

/// <summary>Takes one node's memory figures and puts them beside those of the run before.</summary>
internal sealed class MemoryReader(MemoryAlertsOptions options, RedisKeys keys, TimeProvider timeProvider)
{
    /// <summary>Reads.</summary>
    /// <exception cref="StorageUnavailableException">Redis did not answer.</exception>
    public async Task<NodeMemory> ReadAsync(RedisNode node, RedisConnection connection, NodeMemory? previous, JobContext context, CancellationToken cancellationToken)
    {
        var info = await InfoAsync(connection, context.Report, cancellationToken);
        var memory = Compare(node.Name, info, previous, context.Report);
        // A replica holds what its primary holds, and is not asked again.
        var (bytes, drawn) = node.IsSpare ? (null, 0) : await BytesByKindAsync(connection, context, cancellationToken);
        return memory with { BytesByKind = bytes, SampledKeys = drawn };
    }

    private NodeMemory Compare(string node, RedisInfo info, NodeMemory? previous, JobReport report)
    {
        var runId = info.Text("run_id");
        var sameLife = previous is not null && previous.RunId == runId;
        var used = info.Count64("used_memory");
        var (limit, source) = Limit(info);
        var evicted = info.Count64("evicted_keys");
        IReadOnlyList<MemorySample> samples = sameLife ? previous!.Samples : [];
        if (used is { } bytes)
        {
            samples = [.. samples.TakeLast(options.ForecastSamples - 1), new MemorySample(timeProvider.GetUtcNow(), bytes)];
        }
        else
        {
            report.NotAvailable("INFO used_memory");
        }

        if (source is null or LimitSource.SystemMemory && options.WarnWithoutLimit && used is not null)
        {
            report.Warn($"{node} has no maxmemory: Redis grows until the system ends it. Set maxmemory in redis.conf, or Jobs:MemoryAlerts:LimitBytes.");
        }

        var (growth, fullAt) = MemoryForecast.Fit(samples, limit, options.ForecastHorizon);
        var memory = new NodeMemory
        {
            Node = node,
            RunId = runId,
            UsedBytes = used,
            LimitBytes = limit,
            LimitSource = source,
            GrowthBytesPerSecond = growth,
            FullAt = fullAt,
            FragmentationRatio = info.Ratio("mem_fragmentation_ratio"),
            EvictedKeys = evicted,
            EvictedSinceLast = sameLife ? evicted - previous!.EvictedKeys : null,
            Samples = samples,
        };
        return memory.Ratio is not { } ratio
            ? memory
            : memory with
            {
                Warning = MemoryThreshold.Next(previous?.Warning == true, ratio, options.Warning, options.ClearBelow),
                Critical = MemoryThreshold.Next(previous?.Critical == true, ratio, options.Critical, options.ClearBelow),
            };
    }

    private (long? Bytes, LimitSource? Source) Limit(RedisInfo info)
    {
        if (options.LimitBytes is { } configured)
        {
            return (configured, LimitSource.Configured);
        }

        if (info.Count64("maxmemory") is > 0 and var maximum)
        {
            return (maximum, LimitSource.MaxMemory);
        }

        return options.UseSystemMemory && info.Count64("total_system_memory") is > 0 and var system ? (system, LimitSource.SystemMemory) : (null, null);
    }

    private async Task<(IReadOnlyDictionary<string, long>? Bytes, int Drawn)> BytesByKindAsync(RedisConnection connection, JobContext context, CancellationToken cancellationToken)
    {
        try
        {
            if (options.SampleKeys == 0 || await SizeAsync(connection, cancellationToken) is not (> 0 and var total))
            {
                return (null, 0);
            }

            var drawn = new List<RedisKey>(options.SampleKeys);
            while (drawn.Count < options.SampleKeys)
            {
                var batch = Math.Min(context.Budget.BatchSize, options.SampleKeys - drawn.Count);
                var names = await context.Budget.SpendAsync(
                    "random keys",
                    batch,
                    () => connection.CallAsync(database => Task.WhenAll(Enumerable.Range(0, batch).Select(_ => database.KeyRandomAsync())), cancellationToken, options.CallDeadline),
                    cancellationToken);
                drawn.AddRange(names.Where(name => !name.Equals(default)));
                if (names.Any(name => name.Equals(default)))
                {
                    // The database has just been emptied.
                    break;
                }
            }

            var sizes = await KeySizes.MeasureAsync(connection, drawn, context, options.CallDeadline, cancellationToken);
            return sizes is null ? (null, 0) : (Estimate(drawn, sizes, total), drawn.Count);
        }
        catch (RedisServerException)
        {
            context.Report.NotAvailable("RANDOMKEY or DBSIZE");
            return (null, 0);
        }
    }

    private SortedDictionary<string, long> Estimate(List<RedisKey> drawn, IReadOnlyList<long?> sizes, long total)
    {
        var sums = new SortedDictionary<string, long>(StringComparer.Ordinal);
        for (var i = 0; i < drawn.Count; i++)
        {
            var kind = KeyKinds.Label(keys, drawn[i]);
            sums[kind] = sums.GetValueOrDefault(kind) + (sizes[i] ?? 0);
        }

        foreach (var (kind, bytes) in sums.ToList())
        {
            sums[kind] = (long)((double)bytes / drawn.Count * total);
        }

        return sums;
    }

    private async Task<long> SizeAsync(RedisConnection connection, CancellationToken cancellationToken) =>
        (long)await connection.CallAsync(database => database.ExecuteAsync("DBSIZE"), cancellationToken, options.CallDeadline);

    private async Task<RedisInfo> InfoAsync(RedisConnection connection, JobReport report, CancellationToken cancellationToken)
    {
        try
        {
            return RedisInfo.Parse(await connection.InfoAsync(cancellationToken, options.CallDeadline));
        }
        catch (RedisServerException)
        {
            report.NotAvailable("INFO");
            return RedisInfo.Parse(null);
        }
    }
}
