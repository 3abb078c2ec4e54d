using Maintenance.Storage.Outage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage;

/// <summary>Which of two things a host begins with that cannot be changed while it runs.</summary>
internal static class StorageChoice
{
    /// <summary>Whether the host begins with Redis (<see cref="StorageModeOptions.Mode"/>).</summary>
    public static bool UsesRedis(this IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<StorageModeOptions>>().Value.Mode != StorageMode.Memory;
}
