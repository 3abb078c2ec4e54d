using Maintenance.Storage;
using Maintenance.WebHost.ExternalSignIn.OpenId;
using Maintenance.WebHost.Hosting;

namespace Maintenance.WebHost.ExternalSignIn;

/// <summary>Registers sign-in at other providers.</summary>
internal static class ExternalSignInRegistration
{
    public static IServiceCollection AddExternalSignIn(this IServiceCollection services)
    {
        services.AddProviderClient();
        services.AddScoped<AccountLinking>();
        return services.AddScoped<ExternalSignInFlow>();
    }

    /// <summary>What speaks to providers; knows no accounts.</summary>
    internal static IServiceCollection AddProviderClient(this IServiceCollection services)
    {
        services.AddSettings<ExternalSignInOptions, ExternalSignInOptionsValidator>(ExternalSignInOptions.Section);
        services.AddOptions<ExternalSignInOptions>().Configure<IConfiguration>((options, configuration) =>
        {
            options.Providers.Clear();
            NamedSettings.Bind(configuration.GetSection($"{ExternalSignInOptions.Section}:{nameof(options.Providers)}"), options.Providers);
        });
        services.AddHttpClient(ProviderHttp.ClientName, client => client.MaxResponseContentBufferSize = ProviderHttp.MaxAnswerBytes)
            .RemoveAllLoggers()
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            });
        services.AddSingleton<ProviderHttp>();
        services.AddSingleton<ProviderDirectory>();
        services.AddSingleton<IdTokenValidator>();
        services.AddSingleton<ProviderClient>();
        return services;
    }
}
