using StackExchange.Redis;

namespace Maintenance.Worker.KeyspaceStats;

/// <summary>Counts one kind's keys and keeps an even sample of their names, whatever their number (reservoir sampling).</summary>
internal sealed class KindTally(int sampleSize, Random random)
{
    private readonly List<RedisKey> sample = [];

    /// <summary>Keys seen.</summary>
    public long Keys { get; private set; }

    /// <summary>The sample.</summary>
    public IReadOnlyList<RedisKey> Sample => sample;

    /// <summary>Takes a key.</summary>
    public void Add(RedisKey name)
    {
        Keys++;
        if (sample.Count < sampleSize)
        {
            sample.Add(name);
        }
        else if (random.NextInt64(Keys) is var at && at < sampleSize)
        {
            sample[(int)at] = name;
        }
    }

    /// <summary>Figures of the kind from what was asked of the sample.</summary>
    /// <param name="lives">Milliseconds to live a sampled key: -1 without a TTL, -2 gone.</param>
    /// <param name="sizes">Bytes a sampled key, null for one that is gone; null if the server cannot tell.</param>
    public KindFigures Figures(IReadOnlyList<long> lives, IReadOnlyList<long?>? sizes)
    {
        var there = lives.Count(life => life != -2);
        // Keys that went since they were counted say nothing of the others.
        var scale = there == 0 ? 0 : (double)Keys / there;
        var buckets = new long[TtlHistogram.UpperBoundsSeconds.Count + 1];
        double sum = 0;
        foreach (var life in lives.Where(life => life >= 0))
        {
            buckets[TtlHistogram.Bucket(life / 1000.0)]++;
            sum += life / 1000.0;
        }

        for (var i = 0; i < buckets.Length; i++)
        {
            buckets[i] = Scaled(buckets[i], scale);
        }

        return new KindFigures
        {
            Keys = Keys,
            Sampled = sample.Count,
            Bytes = Keys == 0 ? 0 : sizes is null ? null : Bytes(sizes),
            WithoutTtl = Scaled(lives.Count(life => life == -1), scale),
            Ttl = buckets,
            TtlSumSeconds = sum * scale,
        };
    }

    private long? Bytes(IReadOnlyList<long?> sizes)
    {
        var known = sizes.Where(size => size is not null).ToList();
        return known.Count == 0 ? null : (long)Math.Round((double)known.Sum()!.Value / known.Count * Keys);
    }

    private static long Scaled(long count, double scale) => (long)Math.Round(count * scale);
}
