using System.Collections.Concurrent;
using Maintenance.Storage.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage;

/// <summary>
/// Options that go on as they were when the configuration changes to something that cannot be accepted. At the start there are none, and a wrong value
/// stops it; later it would fail whatever reads the options: requests, runs of jobs, the way to a sink.
/// </summary>
internal sealed class LastGoodOptions<TOptions>(
    IEnumerable<IConfigureOptions<TOptions>> setups,
    IEnumerable<IPostConfigureOptions<TOptions>> postConfigures,
    IEnumerable<IValidateOptions<TOptions>> validations,
    IServiceProvider services) : IOptionsFactory<TOptions>
    where TOptions : class
{
    private readonly OptionsFactory<TOptions> factory = new(setups, postConfigures, validations);
    private readonly ConcurrentDictionary<string, TOptions> last = new(StringComparer.Ordinal);

    public TOptions Create(string name)
    {
        try
        {
            return last[name] = factory.Create(name);
        }
        catch (Exception exception) when (exception is OptionsValidationException or InvalidOperationException && last.ContainsKey(name))
        {
            // Asked for here, because logging has options of its own. The texts name the setting and never a secret, as at the start.
            services.GetRequiredService<ILoggerFactory>().CreateLogger("Maintenance.Settings").SettingNotTaken(exception.Message);
            return last[name];
        }
    }
}

/// <summary>Registers them.</summary>
public static class LastGoodOptionsExtensions
{
    /// <summary>
    /// Lets every options class of the host, not only those of the stores, go on with its last good values when a configuration that changes while the host
    /// runs holds a wrong one. The log names it (event 1005). Without this, <c>IOptionsMonitor.CurrentValue</c> throws until the value is mended.
    /// </summary>
    public static IServiceCollection KeepLastGoodOptions(this IServiceCollection services) =>
        services.Replace(ServiceDescriptor.Singleton(typeof(IOptionsFactory<>), typeof(LastGoodOptions<>)));
}
