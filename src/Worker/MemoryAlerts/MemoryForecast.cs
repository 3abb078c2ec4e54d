namespace Maintenance.Worker.MemoryAlerts;

/// <summary>
/// A straight line through the recent samples: the median of the slopes between all pairs (Theil-Sen), so that one expiry wave or one burst does not turn it.
/// There is no line through fewer than five samples or less than four minutes, nor through samples of which many pairs fall.
/// </summary>
public static class MemoryForecast
{
    /// <summary>Fewest samples.</summary>
    public const int MinimumSamples = 5;

    // A server that has just started grows while it serves its first clients, and that says nothing.
    private static readonly TimeSpan MinimumSpan = TimeSpan.FromMinutes(4);

    // Of a random walk half the pairs rise; a true trend makes nearly all of them rise.
    private const double RisingShare = 0.75;

    /// <summary>Growth and, with a limit, when it is reached.</summary>
    /// <param name="samples">Oldest first; of the same life of the server.</param>
    /// <param name="limitBytes">The limit, or null.</param>
    /// <param name="horizon">A limit that is reached later is not told.</param>
    /// <returns>Nulls when it does not grow.</returns>
    public static (double? BytesPerSecond, DateTimeOffset? FullAt) Fit(IReadOnlyList<MemorySample> samples, long? limitBytes, TimeSpan horizon)
    {
        if (samples.Count < MinimumSamples || samples[^1].At - samples[0].At < MinimumSpan)
        {
            return (null, null);
        }

        var slopes = new List<double>(samples.Count * (samples.Count - 1) / 2);
        for (var i = 0; i < samples.Count; i++)
        {
            for (var j = i + 1; j < samples.Count; j++)
            {
                var seconds = (samples[j].At - samples[i].At).TotalSeconds;
                // Replicas' clocks may differ; a pair that stands still or runs backwards says nothing.
                if (seconds > 0)
                {
                    slopes.Add((samples[j].Bytes - samples[i].Bytes) / seconds);
                }
            }
        }

        if (slopes.Count == 0 || slopes.Count(slope => slope > 0) < slopes.Count * RisingShare)
        {
            return (null, null);
        }

        var growth = Median(slopes);
        if (limitBytes is not { } limit)
        {
            return (growth, null);
        }

        var last = samples[^1].At;
        var now = Median([.. samples.Select(sample => sample.Bytes - (growth * (sample.At - last).TotalSeconds))]);
        var left = Math.Max(0, (limit - now) / growth);
        return (growth, left <= horizon.TotalSeconds ? last.AddSeconds(left) : null);
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        var middle = values.Count / 2;
        return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}

/// <summary>A threshold that ends later than it begins.</summary>
public static class MemoryThreshold
{
    /// <summary>Whether it fires now.</summary>
    /// <param name="fired">Whether it fired before.</param>
    /// <param name="ratio">Share of the limit.</param>
    /// <param name="threshold">It begins here.</param>
    /// <param name="clearBelow">It ends so far below.</param>
    public static bool Next(bool fired, double ratio, double threshold, double clearBelow) => ratio >= threshold || (fired && ratio > threshold - clearBelow);
}
