using System.Buffers;
using System.Globalization;
using System.Text;
using Maintenance.Prometheus.Collection;
using Maintenance.Prometheus.Naming;

namespace Maintenance.Prometheus.Exposition;

/// <summary>
/// Writes families as Prometheus text 0.0.4 or OpenMetrics 1.0.0, without timestamps. A bound is spelled alike in both (<c>le="1.0"</c>, the
/// canonical form of OpenMetrics), so that a series keeps its name whichever format Prometheus negotiates.
/// </summary>
internal sealed class ExpositionWriter(IBufferWriter<byte> output, ExpositionFormat format)
{
    private readonly bool _isOpenMetrics = format == ExpositionFormat.OpenMetrics;

    public void Write(IReadOnlyList<Family> families)
    {
        foreach (var family in families)
        {
            WriteHeader(family);
            var name = Encoding.UTF8.GetBytes(family.Name.Full);
            foreach (var series in family.Sorted())
            {
                if (series is NumberSeries number) WriteSample(name, ""u8, number.LabelBytes, number.Value);
                else if (series is BucketSeries buckets) WriteBuckets(name, buckets, family.Shape.Type == FamilyType.GaugeHistogram);
            }
        }

        if (_isOpenMetrics) output.Write("# EOF\n"u8);
    }

    private void WriteHeader(Family family)
    {
        var name = _isOpenMetrics ? family.Name.Base : family.Name.Full;
        var header = new StringBuilder("# HELP ").Append(name).Append(' ');
        Labels.AppendEscaped(header, family.Help, escapeQuotes: _isOpenMetrics);
        header.Append("\n# TYPE ").Append(name).Append(' ').Append(family.Shape.Type switch
        {
            FamilyType.Counter => "counter",
            FamilyType.Gauge => "gauge",
            FamilyType.GaugeHistogram when _isOpenMetrics => "gaugehistogram",
            _ => "histogram",
        }).Append('\n');
        if (_isOpenMetrics && family.Name.Unit.Length > 0)
            header.Append("# UNIT ").Append(name).Append(' ').Append(family.Name.Unit).Append('\n');
        Encoding.UTF8.GetBytes(header.ToString(), output);
    }

    private void WriteBuckets(byte[] name, BucketSeries series, bool isGauge)
    {
        var distribution = series.Read();
        long cumulative = 0;
        for (var i = 0; i < distribution.Counts.Count; i++)
        {
            cumulative += distribution.Counts[i];
            output.Write(name);
            output.Write("_bucket{"u8);
            output.Write(series.LabelBytes);
            output.Write(series.LabelBytes.Length > 0 ? ",le=\""u8 : "le=\""u8);
            WriteBound(i < distribution.UpperBounds.Count ? distribution.UpperBounds[i] : double.PositiveInfinity);
            output.Write("\"} "u8);
            WriteNumber(cumulative);
            output.Write("\n"u8);
        }

        WriteSample(name, isGauge && _isOpenMetrics ? "_gcount"u8 : "_count"u8, series.LabelBytes, cumulative);
        WriteSample(name, isGauge && _isOpenMetrics ? "_gsum"u8 : "_sum"u8, series.LabelBytes, distribution.Sum);
    }

    private void WriteSample(byte[] name, ReadOnlySpan<byte> suffix, byte[] labels, double value)
    {
        output.Write(name);
        output.Write(suffix);
        if (labels.Length > 0)
        {
            output.Write("{"u8);
            output.Write(labels);
            output.Write("}"u8);
        }

        output.Write(" "u8);
        WriteNumber(value);
        output.Write("\n"u8);
    }

    private void WriteBound(double bound)
    {
        WriteNumber(bound);
        if (double.IsInteger(bound) && Math.Abs(bound) < 1e15) output.Write(".0"u8);
    }

    private void WriteNumber(double value)
    {
        if (double.IsNaN(value)) output.Write("NaN"u8);
        else if (double.IsPositiveInfinity(value)) output.Write("+Inf"u8);
        else if (double.IsNegativeInfinity(value)) output.Write("-Inf"u8);
        else
        {
            var span = output.GetSpan(32);
            value.TryFormat(span, out var written, provider: CultureInfo.InvariantCulture);
            output.Advance(written);
        }
    }
}
