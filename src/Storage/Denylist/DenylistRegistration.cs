using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Denylist;

/// <summary>The denylist's part of <c>AddAuthStorage</c>.</summary>
internal static class DenylistRegistration
{
    public static IServiceCollection AddTokenDenylist(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<DenylistOptions>().Bind(configuration.GetSection(DenylistOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<DenylistOptions>, DenylistOptionsValidator>();
        services.AddSingleton<RedisTokenDenylist>();
        services.AddSingleton<MemoryTokenDenylist>();
        services.AddSingleton(new PrimedStore(InstrumentedTokenDenylist.StoreLabel, InstrumentedTokenDenylist.Operations));
        return services.AddSingleton<ITokenDenylist>(provider => new InstrumentedTokenDenylist(
            ActivatorUtilities.CreateInstance<SwitchingTokenDenylist>(provider, provider.Later<ITokenDenylist, RedisTokenDenylist>()),
            provider.GetRequiredService<AuthStoreMetrics>(),
            provider.GetRequiredService<TimeProvider>()));
    }
}
