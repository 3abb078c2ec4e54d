using System.Reflection;
using Maintenance.Archive;
using Maintenance.Storage.Analytics;
using Maintenance.Storage.Archive;
using Maintenance.Storage.AspNetCore.Bearer;
using Maintenance.Storage.AspNetCore.CookieTickets;
using Maintenance.Storage.AspNetCore.DistributedCache;
using Maintenance.Storage.Caching;
using Maintenance.Storage.Denylist;
using Maintenance.Storage.Memory;
using Maintenance.Storage.OAuth;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Profiles;
using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;
using Maintenance.Testing;
using Maintenance.Worker.Alerting;
using Maintenance.Worker.Alerting.Webhooks;
using Maintenance.Worker.ForeignLayouts;
using Maintenance.Worker.Hosting;
using Maintenance.Worker.IndexReconciliation;
using Maintenance.Worker.KeyspaceStats;
using Maintenance.Worker.Lease;
using Maintenance.Worker.MemoryAlerts;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Results;
using Maintenance.Worker.Scheduling;
using Maintenance.Worker.SessionCleanup;

namespace Maintenance.Worker.Tests.Hosting;

/// <summary>docs/configuration.md has a row for every setting.</summary>
public sealed class ConfigurationDocumentTests
{
    public static TheoryData<string, Type> Sections => new()
    {
        { ManagementOptions.Section, typeof(ManagementOptions) },
        { LeaseOptions.Section, typeof(LeaseOptions) },
        { ResultsOptions.Section, typeof(ResultsOptions) },
        { JobsOptions.Section, typeof(JobsOptions) },
        { AlertingOptions.Section, typeof(AlertingOptions) },
        { "Alerting:Webhooks:<name>", typeof(WebhookOptions) },
        { $"{KeySpacesOptions.Section}:<name>", typeof(KeySpaceOptions) },
        { "Jobs:<Job>", typeof(JobOptions) },
        { "Jobs:SessionCleanup", typeof(SessionCleanupOptions) },
        { "Jobs:IndexReconciliation", typeof(IndexReconciliationOptions) },
        { "Jobs:RedisHealth", typeof(RedisHealthOptions) },
        { "Jobs:MemoryAlerts", typeof(MemoryAlertsOptions) },
        { "Jobs:KeyspaceStats", typeof(KeyspaceStatsOptions) },
        { RedisOptions.Section, typeof(RedisOptions) },
        { SessionOptions.Section, typeof(SessionOptions) },
        { StorageModeOptions.Section, typeof(StorageModeOptions) },
        { OutageOptions.Section, typeof(OutageOptions) },
        { MemoryOptions.Section, typeof(MemoryOptions) },
        { DenylistOptions.Section, typeof(DenylistOptions) },
        { $"{RateLimitOptions.Section}:<policy>", typeof(RateLimitPolicy) },
        { OAuthStateOptions.Section, typeof(OAuthStateOptions) },
        { RefreshTokenOptions.Section, typeof(RefreshTokenOptions) },
        { OneTimeTokenOptions.Section, typeof(OneTimeTokenOptions) },
        { TwoFactorOptions.Section, typeof(TwoFactorOptions) },
        { "AddSessionBearer", typeof(SessionBearerOptions) },
        { CacheOptions.Section, typeof(CacheOptions) },
        { AnalyticsOptions.Section, typeof(AnalyticsOptions) },
        { ProfileOptions.Section, typeof(ProfileOptions) },
        { "AddStoredCookieTickets", typeof(SessionTicketOptions) },
        { DistributedCacheOptions.Section, typeof(DistributedCacheOptions) },
        { ArchiveOptions.Section, typeof(ArchiveOptions) },
        { ArchiveOptions.Section, typeof(PostgresArchiveOptions) },
    };

    [Theory]
    [MemberData(nameof(Sections))]
    public void Document_HasARowForEverySetting(string section, Type options)
    {
        var document = File.ReadAllText(Path.Combine(BuiltProgram.RepositoryRoot, "docs", "configuration.md"));
        var missing = Settings(section, options).Where(setting => !document.Contains($"| `{setting}` |", StringComparison.Ordinal)).ToList();
        missing.ShouldBeEmpty();
    }

    private static IEnumerable<string> Settings(string section, Type options) => options
        .GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        .Where(property => property.CanWrite)
        .SelectMany(property => property.PropertyType.Assembly == options.Assembly && property.PropertyType.IsClass
            ? Settings($"{section}:{property.Name}", property.PropertyType)
            : [$"{section}:{property.Name}"]);
}
