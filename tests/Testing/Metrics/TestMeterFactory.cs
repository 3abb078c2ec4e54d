using System.Diagnostics.Metrics;

namespace Maintenance.Testing;

/// <summary>A meter factory of one test, so that parallel tests do not see each other's measurements.</summary>
public sealed class TestMeterFactory : IMeterFactory
{
    private readonly Lock _gate = new();
    private readonly List<Meter> _meters = [];

    /// <inheritdoc/>
    public Meter Create(MeterOptions options)
    {
        lock (_gate)
        {
            var known = _meters.Find(meter => meter.Name == options.Name && meter.Version == options.Version);
            if (known is null)
            {
                known = new Meter(new MeterOptions(options.Name) { Version = options.Version, Tags = options.Tags, Scope = this });
                _meters.Add(known);
            }

            return known;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _meters.ForEach(meter => meter.Dispose());
            _meters.Clear();
        }
    }
}
