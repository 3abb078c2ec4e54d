using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Hosting;

/// <summary>What the management port needs.</summary>
internal static class ManagementServiceCollectionExtensions
{
    public static IServiceCollection AddManagement(this IServiceCollection services)
    {
        services.AddOptions<ManagementOptions>().BindConfiguration(ManagementOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ManagementOptions>, ManagementOptionsValidator>();
        return services;
    }
}
