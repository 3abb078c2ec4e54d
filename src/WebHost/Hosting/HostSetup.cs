using System.Text.Json.Serialization;
using Maintenance.Archive;
using Maintenance.Prometheus;
using Maintenance.Storage;
using Maintenance.Storage.AspNetCore.Bearer;
using Maintenance.Storage.AspNetCore.Health;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;
using Maintenance.Tracing;
using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Admin;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Database;
using Maintenance.WebHost.ExternalSignIn;
using Maintenance.WebHost.Health;
using Maintenance.WebHost.KeyRing;
using Maintenance.WebHost.Mail;
using Maintenance.WebHost.Passwords;
using Maintenance.WebHost.Profile;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.SignIn;
using Maintenance.WebHost.StepUp;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Hosting;

/// <summary>Puts the host together.</summary>
internal static class HostSetup
{
    // Cookies of a browser fit; what is longer is answered 431.
    private const int MaxHeaderBytes = 16 * 1024;

    /// <summary>Builds it.</summary>
    /// <param name="arguments">The command line; settings as <c>--Api:Port=8080</c>.</param>
    /// <param name="configure">What a test or a benchmark changes.</param>
    public static WebApplication Build(string[] arguments, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = arguments, ContentRootPath = AppContext.BaseDirectory });
        AddServices(builder);
        configure?.Invoke(builder);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = kestrel.ApplicationServices.GetRequiredService<IOptions<ApiOptions>>().Value.MaxBodyBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            Listeners.Listen(kestrel);
        });

        var app = builder.Build();
        UsePipeline(app);
        app.MapFeatures();
        if (!app.Services.GetRequiredService<IOptions<DatabaseOptions>>().Value.UsesPostgres)
        {
            app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Maintenance.WebHost").UsersInMemory();
        }

        return app;
    }

    private static void AddServices(WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.KeepLastGoodOptions();
        services.AddSettings<ApiOptions, ApiOptionsValidator>(ApiOptions.Section);
        services.AddSettings<ManagementOptions, ManagementOptionsValidator>(ManagementOptions.Section);
        services.AddSettings<ProxyOptions, ProxyOptionsValidator>(ProxyOptions.Section);
        services.AddOptions<HostOptions>().Configure<IOptions<ApiOptions>>((host, api) => host.ShutdownTimeout = api.Value.ShutdownTimeout);
        services.AddHostLimits();
        services.AddTraceExport(builder.Configuration, "maintenance-webhost", "Microsoft.AspNetCore", "Npgsql", StorageTrace.SourceName);
        // Format 2 knows when the owner last proved who it is. Before the storage, so that configuration wins.
        services.AddOptions<Storage.Sessions.SessionOptions>().Configure(sessions => sessions.RecordFormat = 2);
        services.AddAuthStorage(builder.Configuration);
        services.AddPostgresArchive(builder.Configuration);
        services.AddUserDatabase(builder.Configuration);
        services.AddKeyRing(builder.Configuration);
        services.AddPrometheusExporter();
        services.AddHealthChecks().AddAuthStorageChecks();
        services.AddOptions<HealthCheckServiceOptions>().Configure<IOptions<RedisOptions>>((checks, redis) =>
        {
            // A host that keeps everything in its memory waits for no Redis.
            if (!redis.Value.Enabled && checks.Registrations.FirstOrDefault(check => check.Name == RedisHealthCheck.Name) is { } needless)
            {
                checks.Registrations.Remove(needless);
            }
        });

        services.AddProblemDetails(problems => problems.CustomizeProblemDetails = context => Problems.Name(context.ProblemDetails));
        services.AddExceptionHandler<ExceptionProblems>();
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.AllowDuplicateProperties = false;
            json.SerializerOptions.RespectNullableAnnotations = true;
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
            json.SerializerOptions.MaxDepth = 16;
        });
        services.AddApiDocument();

        services.AddAuthentication(SessionBearerDefaults.AuthenticationScheme).AddSessionBearer();
        services.AddOptions<SessionBearerOptions>(SessionBearerDefaults.AuthenticationScheme)
            .Configure<IOptions<SessionCookieOptions>>((bearer, cookies) => bearer.CookieName = cookies.Value.Enabled ? SessionCookieOptions.Session : null);
        services.AddAuthorizationBuilder().AddPolicy(Policies.Admin, policy => policy.RequireClaim(SessionIssuer.RoleClaim, Roles.Admin));
        services.AddSettings<SessionCookieOptions, SessionCookieOptionsValidator>(SessionCookieOptions.Section);
        services.AddSingleton<SessionCookies>();
        services.AddScoped<SessionIssuer>();

        services.AddSingleton<AuditTrail>();
        services.AddSingleton<IAuditTrail>(provider => provider.GetRequiredService<AuditTrail>());
        services.AddHostedService(provider => provider.GetRequiredService<AuditTrail>());
        services.AddUsers();
        services.AddMail(builder.Environment);
        services.AddAccounts();
        services.AddSignIn();
        services.AddStepUp();
        services.AddTwoFactorManagement();
        services.AddExternalSignIn();
        services.AddProfiles();
        services.AddSessionLists();
        services.AddAdmin();
        services.AddAuthHealth();
    }

    private static void UsePipeline(WebApplication app)
    {
        // First, so that what follows knows whether the client came by TLS.
        app.UseConfiguredProxies();
        app.UseSecurityHeaders();
        app.UseExceptionHandler();
        app.UseStatusCodePages(page => Problems.Send(page.HttpContext, new ProblemDetails { Status = page.HttpContext.Response.StatusCode }));
        app.UseRouting();
        app.UseListeners();
        app.UseBodyCharset();
        app.UseCookieAntiforgery();
        // Without this mark the host adds the middleware once more in front of everything, since it does not see into branches: two lookups a request.
        ((IApplicationBuilder)app).Properties["__AuthenticationMiddlewareSet"] = true;
        app.UseWhen(
            // Nor where there is nothing: no limit would count these look-ups.
            context => context.GetEndpoint() is { } endpoint && endpoint.Metadata.GetMetadata<OwnAuthenticationMetadata>() is null,
            branch => branch.UseAuthentication());
        app.UseRateLimiter();
        app.UseAuthorization();
    }
}

/// <summary>Names of authorization policies.</summary>
internal static class Policies
{
    public const string Admin = "admin";
}
