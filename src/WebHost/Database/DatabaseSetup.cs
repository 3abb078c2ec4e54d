using Maintenance.WebHost.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Maintenance.WebHost.Database;

internal static class DatabaseSetup
{
    public static IServiceCollection AddUserDatabase(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<DatabaseOptions>().Configure(options => options.ConnectionString = configuration["DATABASE_URL"]);
        services.AddSettings<DatabaseOptions, DatabaseOptionsValidator>(DatabaseOptions.Section);
        services.AddSingleton(provider => NpgsqlDataSource.Create(provider.GetRequiredService<IOptions<DatabaseOptions>>().Value.ToNpgsql()));

        // A name of its own: two hosts in one process are two databases.
        var memory = $"users-{Guid.NewGuid():N}";
        services.AddDbContextPool<AuthDbContext>((provider, builder) =>
        {
            if (provider.GetRequiredService<IOptions<DatabaseOptions>>().Value.UsesPostgres)
            {
                builder.UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>());
            }
            else
            {
                builder.UseInMemoryDatabase(memory).ConfigureWarnings(warnings => warnings.Ignore(InMemoryEventId.TransactionIgnoredWarning));
            }
        });
        services.AddHealthChecks().AddCheck<DatabaseHealthCheck>(DatabaseHealthCheck.Name, tags: [Storage.AspNetCore.Health.AuthStorageHealthChecks.ReadyTag]);
        return services;
    }
}
