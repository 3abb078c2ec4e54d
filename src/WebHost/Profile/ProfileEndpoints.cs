using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Profile.Avatars;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.Profile;

/// <summary>A user's own profile.</summary>
internal static class ProfileEndpoints
{
    public static IServiceCollection AddProfiles(this IServiceCollection services)
    {
        services.AddSettings<AvatarOptions, AvatarOptionsValidator>(AvatarOptions.Section);
        services.AddSingleton<IAvatarStore, DiskAvatarStore>();
        services.AddSingleton<ProfileInvalidation>();
        return services.AddScoped<UserProfiles>();
    }

    public static IEndpointRouteBuilder MapProfile(this IEndpointRouteBuilder auth)
    {
        auth.MapGet("profile", ReadAsync)
            .Produces<ProfileView>()
            .RequireAuthorization()
            .RequireRateLimiting(Limits.User)
            .WithSummary("The user's profile.");
        auth.MapPut("profile", ChangeAsync)
            .Validated<ProfileRequest>()
            .Produces<ProfileView>()
            .ProducesProblem(StatusCodes.Status409Conflict)
            .RequireAuthorization()
            .RequireRateLimiting(Limits.User)
            .WithSummary("Changes name, language and time zone.");
        return auth.MapAvatars();
    }

    private static async Task<IResult> ReadAsync(HttpContext context, UserProfiles profiles, CancellationToken stop) =>
        await profiles.FindAsync(context.User.UserId(), stop) is { } profile ? TypedResults.Ok(profile) : Problems.Unauthorized();

    private static async Task<IResult> ChangeAsync(
        ProfileRequest request, HttpContext context, UserManager<User> users, UserProfiles profiles, CancellationToken stop)
    {
        if (await users.FindByIdAsync(context.User.UserId()) is not { DisabledAt: null } user)
        {
            return Problems.Unauthorized();
        }

        user.Name = request.Name.Trim();
        user.Locale = string.IsNullOrEmpty(request.Locale) ? null : request.Locale;
        user.TimeZone = string.IsNullOrEmpty(request.TimeZone) ? null : request.TimeZone;
        return (await users.UpdateAsync(user)).Succeeded
            ? await ReadAsync(context, profiles, stop)
            : Problems.Of(StatusCodes.Status409Conflict, "conflict", "The account was changed at the same time. Try again.");
    }
}
