using Maintenance.Storage.Redis;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Storage.AspNetCore.DataProtection;

/// <summary>Keeps data-protection keys where the other hosts find them.</summary>
public static class DataProtectionBuilderExtensions
{
    private static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(5);

    /// <summary>
    /// All hosts share their data-protection keys through Redis. Needs <c>AddAuthStorage</c>. Without Redis (<c>Storage:Redis:Enabled</c> false) the
    /// framework's default stays. Keys are secrets: whoever reads Redis reads them, unless they are encrypted as well
    /// (<c>ProtectKeysWithCertificate</c>); the framework warns when they are not.
    /// </summary>
    /// <param name="builder">The builder; call <c>SetApplicationName</c> too, with the same name on all hosts.</param>
    /// <param name="ring">Name of the key ring; applications that share a Redis but no keys have different ones. Default <c>default</c>.</param>
    /// <param name="deadline">Longest time that a call blocks its thread; default 5 s.</param>
    public static IDataProtectionBuilder PersistKeysToAuthStorage(this IDataProtectionBuilder builder, string ring = "default", TimeSpan? deadline = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddOptions<KeyManagementOptions>().Configure<IServiceProvider>((options, provider) =>
        {
            if (provider.UsesRedis())
            {
                options.XmlRepository = new RedisXmlRepository(
                    provider.GetRequiredService<RedisConnection>(), provider.GetRequiredService<RedisKeys>(), ring, deadline ?? DefaultDeadline);
            }
        });
        return builder;
    }
}
