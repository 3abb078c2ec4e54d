using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Storage.UserData;

/// <summary>The part of a user's data of <c>AddAuthStorage</c>.</summary>
internal static class UserDataRegistration
{
    public static IServiceCollection AddUserData(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<UserDataOptions>().Bind(configuration.GetSection(UserDataOptions.Section)).ValidateOnStart();
        services.AddSingleton<RedisUserDataStore>();
        services.AddSingleton<MemoryUserDataStore>();
        services.AddSingleton<IUserDataStore>(provider =>
            provider.UsesRedis()
                ? new BothUserDataStore(provider.GetRequiredService<RedisUserDataStore>(), provider.GetRequiredService<MemoryUserDataStore>())
                : provider.GetRequiredService<MemoryUserDataStore>());
        return services.AddSingleton<UserDataService>();
    }
}
