using Maintenance.WebHost.Passwords;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Users;

internal static class UsersSetup
{
    /// <summary>Identity's managers over our store.</summary>
    public static IServiceCollection AddUsers(this IServiceCollection services)
    {
        services.AddIdentityCore<User>().AddUserStore<UserStore>();
        services.AddSingleton<UserQueries>();
        // Requests check addresses and a unique index keeps them unique; the validators would look the same up again, and only for new accounts.
        services.RemoveAll<IUserValidator<User>>();
        services.RemoveAll<IPasswordValidator<User>>();
        services.AddOptions<PasswordHasherOptions>().Configure<IOptions<PasswordSettings>>((hasher, settings) => hasher.IterationCount = settings.Value.HashIterations);
        // It holds nothing of a request, and the hashing threads outlive every one.
        services.Replace(ServiceDescriptor.Singleton<IPasswordHasher<User>, PasswordHasher<User>>());
        services.AddScoped(provider => (UserStore)provider.GetRequiredService<IUserStore<User>>());
        services.AddScoped<IUserTwoFactorRecoveryCodeStore<User>>(provider => provider.GetRequiredService<UserStore>());
        services.AddScoped<IUserLoginStore<User>>(provider => provider.GetRequiredService<UserStore>());
        return services;
    }
}
