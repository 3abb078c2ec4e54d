using Maintenance.WebHost.ExternalSignIn.OpenId;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.ExternalSignIn;

/// <summary>Registers sign-in at other providers.</summary>
internal static class ExternalSignInRegistration
{
    public static IServiceCollection AddExternalSignIn(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<ExternalSignInOptions>().Bind(configuration.GetSection(ExternalSignInOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ExternalSignInOptions>, ExternalSignInOptionsValidator>();
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
