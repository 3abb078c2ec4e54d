using Maintenance.WebHost.Database;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Maintenance.WebHost.KeyRing;

internal static class KeyRingSetup
{
    // Part of every purpose: another name reads nothing of what there is.
    private const string Application = "maintenance-webhost";

    /// <summary>One ring of keys for all hosts, in the user database; in memory where users are.</summary>
    /// <exception cref="OptionsValidationException">A certificate cannot be used.</exception>
    public static IServiceCollection AddKeyRing(this IServiceCollection services, IConfiguration configuration)
    {
        var options = new KeyRingOptions();
        configuration.GetSection(KeyRingOptions.Section).Bind(options);
        var builder = services.AddDataProtection().SetApplicationName(Application);
        if (options.Load() is [var current, ..] certificates)
        {
            builder.ProtectKeysWithCertificate(current).UnprotectKeysWithAnyCertificate([.. certificates]);
        }

        services.AddOptions<KeyManagementOptions>().Configure<IServiceProvider>((keys, provider) =>
            keys.XmlRepository = provider.GetRequiredService<IOptions<DatabaseOptions>>().Value.UsesPostgres
                ? new PostgresKeyRing(provider.GetRequiredService<NpgsqlDataSource>())
                : new MemoryKeyRing());
        return services;
    }
}
