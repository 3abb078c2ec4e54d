using Maintenance.Storage.Redis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage;

/// <summary>Which of two stores a host uses.</summary>
internal static class StorageChoice
{
    /// <summary>Whether state is kept in Redis at all (<see cref="RedisOptions.Enabled"/>).</summary>
    public static bool UsesRedis(this IServiceProvider provider) => provider.GetRequiredService<IOptions<RedisOptions>>().Value.Enabled;
}
