using Maintenance.Worker.MemoryAlerts;

namespace Maintenance.Worker.Status.Page;

/// <summary>The samples of a node's memory as the paths of a drawing.</summary>
internal sealed record TrendCurve
{
    /// <summary>Width of the drawing; it is stretched to its place.</summary>
    public const int Width = 600;

    /// <summary>Height of the drawing.</summary>
    public const int Height = 100;

    // What is left free on the right for the forecast, and above and below the curve.
    private const double ForecastShare = 0.2;
    private const double Margin = 12;

    public required TimeSpan Span { get; init; }

    public required long Least { get; init; }

    public required long Most { get; init; }

    /// <summary>Path of the curve.</summary>
    public required string Line { get; init; }

    /// <summary>Path of what lies below it.</summary>
    public required string Area { get; init; }

    /// <summary>Path of where it leads; null when it does not grow.</summary>
    public string? Forecast { get; init; }

    /// <summary>Draws it; null with fewer than two samples.</summary>
    public static TrendCurve? Draw(NodeMemory memory)
    {
        // Clocks of replicas differ a little: what runs backwards is left out.
        var samples = new List<MemorySample>();
        foreach (var sample in memory.Samples.Where(sample => samples.Count == 0 || sample.At > samples[^1].At))
        {
            samples.Add(sample);
        }

        if (samples.Count < 2)
        {
            return null;
        }

        var (first, last) = (samples[0], samples[^1]);
        var span = last.At - first.At;
        var growth = memory.GrowthBytesPerSecond;
        var ahead = growth is null ? TimeSpan.Zero : span * ForecastShare / (1 - ForecastShare);
        var led = growth is { } rate ? last.Bytes + (rate * ahead.TotalSeconds) : last.Bytes;
        var (least, most) = (samples.Min(sample => sample.Bytes), samples.Max(sample => sample.Bytes));
        var (bottom, top) = ((double)least, Math.Max(most, led));
        // A store that stands still is a straight line, not noise blown up to the height of the drawing.
        var room = Math.Max(top - bottom, most * 0.02);

        double X(DateTimeOffset at) => (at - first.At) / (span + ahead) * Width;
        double Y(double bytes) => Height - Margin - ((bytes - bottom) / room * (Height - (2 * Margin)));
        var points = string.Join('L', samples.Select(sample => $"{X(sample.At):0.#} {Y(sample.Bytes):0.#}"));
        return new TrendCurve
        {
            Span = span,
            Least = least,
            Most = most,
            Line = $"M{points}",
            Area = $"M0 {Height}L{points}L{X(last.At):0.#} {Height}Z",
            Forecast = growth is null ? null : $"M{X(last.At):0.#} {Y(last.Bytes):0.#}L{Width} {Y(led):0.#}",
        };
    }
}
