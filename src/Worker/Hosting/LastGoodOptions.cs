using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Hosting;

/// <summary>
/// Options that go on as they were when the configuration changes to something that cannot be accepted. At the start there are none, and a wrong value
/// stops it; later it would end runs without a result, the way to a sink, or each request that asks for the token.
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
            // Asked for here, because logging has options of its own. The texts name the setting and no secret, as at the start.
            services.GetRequiredService<ILoggerFactory>().CreateLogger("Maintenance.Worker.Settings").SettingNotTaken(exception.Message);
            return last[name];
        }
    }
}

internal static class LastGoodOptionsExtensions
{
    /// <summary>For all options of the worker, those of Storage too.</summary>
    public static IServiceCollection KeepLastGoodOptions(this IServiceCollection services) =>
        services.Replace(ServiceDescriptor.Singleton(typeof(IOptionsFactory<>), typeof(LastGoodOptions<>)));
}
