using System.Net;
using Maintenance.Prometheus;
using Maintenance.Storage;
using Maintenance.Storage.AspNetCore.Health;
using Maintenance.Storage.Redis;
using Maintenance.WebHost.Health;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost;

/// <summary>Puts the host together: storage, probes, metrics.</summary>
internal static class HostSetup
{
    public static WebApplication Build(string[] arguments)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = arguments, ContentRootPath = AppContext.BaseDirectory });
        var management = new ManagementOptions();
        builder.Configuration.GetSection(ManagementOptions.Section).Bind(management);
        Validate(new ManagementOptionsValidator().Validate(null, management));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Parse(management.Address), management.Port));

        builder.Services.AddAuthStorage(builder.Configuration);
        builder.Services.AddOptions<RedisOptions>().Validate(
            options => options.Enabled,
            "Storage:Redis:Enabled (or REDIS_ENABLED) is false, and this host keeps sessions nowhere else; set it to true.");
        builder.Services.AddPrometheusExporter();
        builder.Services.AddHealthChecks().AddAuthStorageChecks();

        var app = builder.Build();
        app.MapMetrics();
        // Alive and started mean that this process answers; only readiness asks Redis.
        app.MapHealthChecks("/healthz/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/healthz/startup", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/healthz/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(AuthStorageHealthChecks.ReadyTag) });
        app.MapHealthChecks("/health", new HealthCheckOptions { ResponseWriter = HealthReportWriter.WriteAsync });
        return app;
    }

    private static void Validate(ValidateOptionsResult result)
    {
        if (result.Failed)
        {
            throw new OptionsValidationException(ManagementOptions.Section, typeof(ManagementOptions), result.Failures);
        }
    }
}
