using System.Net;
using Maintenance.Pages;
using Maintenance.Prometheus;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;
using Maintenance.Tracing;
using Maintenance.Worker.Alerting;
using Maintenance.Worker.Lease;
using Maintenance.Worker.Scheduling;
using Maintenance.Worker.Status;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Hosting;

/// <summary>Builds the worker's two shapes: one that serves, and one that a verb of the command line uses and drops.</summary>
internal static class WorkerHost
{
    // A supervisor kills after 10 s; jobs, Kestrel and Quartz must be done before.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(8);

    /// <summary>The service: jobs on their schedule, metrics, probes, endpoints.</summary>
    /// <param name="settings">Settings above all others; the demo's.</param>
    public static WebApplication BuildServer(IReadOnlyDictionary<string, string?>? settings = null)
    {
        // Settings lie beside the program, wherever it is started from.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        if (settings is not null)
        {
            builder.Configuration.AddInMemoryCollection(settings.Where(setting => setting.Value is not null));
        }

        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownTimeout);
        NamingSettings(() => builder.Services.AddTraceExport(builder.Configuration, "maintenance-worker", JobTrace.SourceName, StorageTrace.SourceName));
        builder.Services.AddMaintenanceWorker(builder.Configuration);
        if (settings is not null)
        {
            // What the demo has damaged on purpose is nobody's alert.
            builder.Services.PostConfigure<AlertingOptions>(alerting =>
            {
                alerting.Webhooks.Clear();
                alerting.Alertmanager.Urls.Clear();
            });
        }

        builder.Services.AddMaintenanceSchedule();
        builder.Services.AddManagement();
        builder.WebHost.ConfigureKestrel((context, kestrel) =>
        {
            kestrel.AddServerHeader = false;
            var options = kestrel.ApplicationServices.GetRequiredService<IOptions<ManagementOptions>>().Value;
            var inContainer = context.Configuration.GetValue("DOTNET_RUNNING_IN_CONTAINER", false);
            if (!ListenerAddress.TryParse(options.Address, inContainer, out var address))
            {
                throw new ConfigurationException([$"Management:Address is '{options.Address}'."]);
            }

            if (address.Equals(IPAddress.IPv6Any))
            {
                kestrel.ListenAnyIP(options.Port);
            }
            else
            {
                kestrel.Listen(address, options.Port);
            }
        });

        // The port's settings are read here.
        var app = NamingSettings(builder.Build);
        app.UseManagementToken();
        app.MapMetrics();
        app.MapManagement();
        app.Lifetime.ApplicationStarted.Register(() => WarnOfDeadline(app.Services));
        return app;
    }

    /// <summary>For a verb: the same jobs and settings, no schedule, no port; logs on standard error.</summary>
    public static IHost BuildTool(params KeyValuePair<string, string?>[] settings)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        if (builder.Configuration["Logging__LogLevel__Default"] is null && Environment.GetEnvironmentVariable("Logging__LogLevel__Default") is null)
        {
            // The verb prints what a person wants to know; problems still appear.
            builder.Configuration.AddInMemoryCollection([new("Logging:LogLevel:Default", "Warning"), new("Logging:LogLevel:Maintenance", "Warning")]);
        }

        // A person waits longer than a request does, and here the first call waits for the connection too.
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = [new("Storage:Redis:Deadline", "00:00:05")] });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddMaintenanceWorker(builder.Configuration);
        builder.Services.AddSingleton(_ => ReplicaName.OfThisProcess() with { OneShot = true });
        return builder.Build();
    }

    // No reason not to start: somebody may want it for a Redis that is far away, and a run that is cut off goes on where it stopped. The chart refuses it,
    // because there nothing else would say so before the first upgrade.
    private static void WarnOfDeadline(IServiceProvider services)
    {
        var deadline = services.GetRequiredService<IOptions<RedisOptions>>().Value.Deadline;
        if (deadline >= ShutdownTimeout)
        {
            services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(WorkerHost)).DeadlineOutlastsShutdown(deadline.TotalSeconds, ShutdownTimeout.TotalSeconds);
        }
    }

    /// <summary>Checks every setting now instead of at the first use.</summary>
    /// <exception cref="ConfigurationException">A setting is wrong; the message names it.</exception>
    public static void CheckSettings(IServiceProvider provider) => NamingSettings(() =>
    {
        provider.GetRequiredService<IStartupValidator>().Validate();
        return true;
    });

    /// <summary>Turns what wrong settings throw into one exception that names them.</summary>
    private static T NamingSettings<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (OptionsValidationException exception)
        {
            throw new ConfigurationException([.. exception.Failures]);
        }
        catch (AggregateException exception) when (exception.InnerExceptions.All(inner => inner is OptionsValidationException))
        {
            throw new ConfigurationException([.. exception.InnerExceptions.Cast<OptionsValidationException>().SelectMany(inner => inner.Failures)]);
        }
        catch (InvalidOperationException exception)
        {
            // The binder, or a variable of the environment that cannot be read: both name the setting.
            throw new ConfigurationException([exception.Message]);
        }
    }
}

/// <summary>Settings that the worker cannot start with.</summary>
internal sealed class ConfigurationException(IReadOnlyList<string> problems) : Exception(string.Join(Environment.NewLine, problems))
{
    public IReadOnlyList<string> Problems => problems;
}
