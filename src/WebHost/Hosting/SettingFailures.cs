using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Hosting;

/// <summary>Collects what is wrong with a section, each with the setting's name.</summary>
internal sealed class SettingFailures(string section)
{
    private readonly List<string> failures = [];

    public ValidateOptionsResult Result => failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

    public void Check(bool valid, string setting, string problem)
    {
        if (!valid)
        {
            failures.Add($"{section}:{setting} {problem}.");
        }
    }
}

/// <summary>Options of this host are bound, validated at the start, and named when wrong.</summary>
internal static class SettingsExtensions
{
    public static IServiceCollection AddSettings<TOptions, TValidator>(this IServiceCollection services, string section)
        where TOptions : class
        where TValidator : class, IValidateOptions<TOptions>
    {
        services.AddOptions<TOptions>().BindConfiguration(section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TOptions>, TValidator>();
        return services;
    }
}
