using System.Diagnostics.Metrics;
using Maintenance.Storage.Diagnostics;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Storage.Tests.Tokens;

/// <summary>Auth storage in memory with a clock and a meter factory of its own.</summary>
internal sealed class MemoryHost : IDisposable
{
    private readonly ServiceProvider provider;

    public MemoryHost(params (string Name, string Value)[] settings)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(Clock);
        services.AddSingleton<IMeterFactory>(Meters);
        services.AddAuthStorage(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Append(("Storage:Redis:Enabled", "false")).Select(s => KeyValuePair.Create(s.Item1, (string?)s.Item2)))
            .Build());
        provider = services.BuildServiceProvider();
    }

    public ManualTimeProvider Clock { get; } = new();

    public TestMeterFactory Meters { get; } = new();

    public T Get<T>()
        where T : notnull => provider.GetRequiredService<T>();

    /// <summary>The registration that makes a store's series exist from the start.</summary>
    public PrimedStore Primed(string store) => provider.GetServices<PrimedStore>().Single(primed => primed.Store == store);

    /// <summary>Operations of a store that were measured, once each, in order of their names.</summary>
    public static IEnumerable<string> Measured(MetricCollector<double> durations, string store) =>
        durations.Measurements.Where(m => m.Tags["store"] == store).Select(m => m.Tags["operation"]).Distinct().Order(StringComparer.Ordinal);

    public void Dispose()
    {
        provider.Dispose();
        Meters.Dispose();
    }
}
