using Maintenance.Storage.Archive;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Maintenance.Archive;

/// <summary>Adds the archive on PostgreSQL.</summary>
public static class ArchiveServiceCollectionExtensions
{
    /// <summary>
    /// Keeps a durable copy of sessions in PostgreSQL when <c>Archive:ConnectionString</c> (environment: <c>Archive__ConnectionString</c>) is set,
    /// and does nothing otherwise. The schema must be there: see <see cref="ArchiveDatabase.Schema"/>.
    /// </summary>
    /// <returns>Whether there is an archive.</returns>
    public static bool AddPostgresArchive(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        var section = configuration.GetSection(ArchiveOptions.Section);
        services.AddOptions<PostgresArchiveOptions>().Bind(section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<PostgresArchiveOptions>, PostgresArchiveOptionsValidator>();
        if (string.IsNullOrWhiteSpace(section[nameof(PostgresArchiveOptions.ConnectionString)]))
        {
            return false;
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ArchiveDatabase>();
        services.AddSessionArchive(
            configuration,
            provider => new PostgresSessionArchive(provider.GetRequiredService<ArchiveDatabase>()),
            provider => new PostgresRevocationJournal(provider.GetRequiredService<ArchiveDatabase>()));
        return true;
    }
}
