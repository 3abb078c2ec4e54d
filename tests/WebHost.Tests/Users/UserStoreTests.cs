using Maintenance.Storage;
using Maintenance.WebHost.Database;
using Maintenance.WebHost.Profile;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.Tests.Users;

/// <summary>Identity's manager over our store, in memory; on PostgreSQL the journeys do the same.</summary>
public sealed class UserStoreTests : IDisposable
{
    private readonly ServiceProvider provider;
    private readonly UserManager<User> users;
    private readonly IServiceScope scope;

    public UserStoreTests()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        var name = Guid.NewGuid().ToString();
        services.AddDbContext<AuthDbContext>(builder => builder.UseInMemoryDatabase(name));
        // The store makes the profile's cache forget a user that it has written.
        services.AddAuthStorage(new ConfigurationBuilder().AddInMemoryCollection([new("REDIS_ENABLED", "false")]).Build());
        services.AddSingleton<ProfileInvalidation>();
        services.AddUsers();
        services.AddSingleton(TimeProvider.System);
        provider = services.BuildServiceProvider();
        scope = provider.CreateScope();
        users = scope.ServiceProvider.GetRequiredService<UserManager<User>>();
    }

    [Fact]
    public async Task User_IsFoundByItsAddressInAnySpelling_AndById()
    {
        var user = await CreateAsync("Ann@Example.com");
        (await InAnotherScopeAsync(other => other.FindByEmailAsync("ann@EXAMPLE.com"))).ShouldNotBeNull().Id.ShouldBe(user.Id);
        (await InAnotherScopeAsync(other => other.FindByIdAsync(user.Key))).ShouldNotBeNull().Email.ShouldBe("Ann@Example.com");
        (await InAnotherScopeAsync(other => other.FindByIdAsync("no id"))).ShouldBeNull();
    }

    [Fact]
    public async Task SecondOfTwoConcurrentWrites_Fails()
    {
        var user = await CreateAsync();
        await InAnotherScopeAsync(async other =>
        {
            var same = (await other.FindByIdAsync(user.Key))!;
            same.Name = "first";
            (await other.UpdateAsync(same)).Succeeded.ShouldBeTrue();
            return same;
        });

        user.Name = "second";
        var result = await users.UpdateAsync(user);

        result.Errors.Select(error => error.Code).ShouldBe(["ConcurrencyFailure"]);
        (await InAnotherScopeAsync(other => other.FindByIdAsync(user.Key)))!.Name.ShouldBe("first");
    }

    [Fact]
    public async Task SecurityStamp_ChangesWithThePassword()
    {
        var user = await CreateAsync();
        var before = user.SecurityStamp;
        before.ShouldNotBeEmpty();
        (await users.UpdateSecurityStampAsync(user)).Succeeded.ShouldBeTrue();
        user.SecurityStamp.ShouldNotBe(before);
    }

    [Fact]
    public async Task Lockout_CountsAndLocks()
    {
        var user = await CreateAsync();
        for (var i = 0; i < 5; i++)
        {
            await users.AccessFailedAsync(user);
        }

        (await users.IsLockedOutAsync(user)).ShouldBeTrue();
        await users.SetLockoutEndDateAsync(user, null);
        (await users.IsLockedOutAsync(user)).ShouldBeFalse();
    }

    [Fact]
    public async Task RecoveryCode_WorksOnce_AndOnlyItsHashIsKept()
    {
        var user = await CreateAsync();
        await users.SetTwoFactorEnabledAsync(user, true);
        var codes = (await users.GenerateNewTwoFactorRecoveryCodesAsync(user, 10))!.ToList();
        (await users.CountRecoveryCodesAsync(user)).ShouldBe(10);
        var stored = await scope.ServiceProvider.GetRequiredService<AuthDbContext>().RecoveryCodes.Select(code => code.Hash).ToListAsync();
        stored.ShouldNotContain(codes[0]);

        (await users.RedeemTwoFactorRecoveryCodeAsync(user, codes[0].ToLowerInvariant())).Succeeded.ShouldBeTrue();
        (await users.RedeemTwoFactorRecoveryCodeAsync(user, codes[0])).Succeeded.ShouldBeFalse();
        (await users.RedeemTwoFactorRecoveryCodeAsync(user, "no code")).Succeeded.ShouldBeFalse();
        (await users.CountRecoveryCodesAsync(user)).ShouldBe(9);
    }

    [Fact]
    public async Task ExternalLogin_FindsItsUser()
    {
        var user = await CreateAsync();
        (await users.AddLoginAsync(user, new UserLoginInfo("example", "subject-1", "Example"))).Succeeded.ShouldBeTrue();
        (await InAnotherScopeAsync(other => other.FindByLoginAsync("example", "subject-1"))).ShouldNotBeNull().Id.ShouldBe(user.Id);
        (await users.GetLoginsAsync(user)).Single().ProviderKey.ShouldBe("subject-1");
        await users.RemoveLoginAsync(user, "example", "subject-1");
        (await InAnotherScopeAsync(other => other.FindByLoginAsync("example", "subject-1"))).ShouldBeNull();
    }

    [Fact]
    public async Task Role_IsGivenAndTaken()
    {
        var user = await CreateAsync();
        await users.AddToRoleAsync(user, Roles.Admin);
        (await InAnotherScopeAsync(async other => await other.IsInRoleAsync((await other.FindByIdAsync(user.Key))!, Roles.Admin))).ShouldBeTrue();
        (await users.GetUsersInRoleAsync(Roles.Admin)).Single().Id.ShouldBe(user.Id);
        await users.RemoveFromRoleAsync(user, Roles.Admin);
        (await InAnotherScopeAsync(async other => (await other.GetRolesAsync((await other.FindByIdAsync(user.Key))!)).Count)).ShouldBe(0);
    }

    public void Dispose()
    {
        users.Dispose();
        scope.Dispose();
        provider.Dispose();
    }

    private async Task<User> CreateAsync(string email = "ann@example.com")
    {
        var user = new User { Email = email, Name = "Ann", CreatedAt = TimeProvider.System.GetUtcNow() };
        (await users.CreateAsync(user)).Succeeded.ShouldBeTrue();
        return user;
    }

    private async Task<T> InAnotherScopeAsync<T>(Func<UserManager<User>, Task<T>> work)
    {
        using var other = provider.CreateScope();
        return await work(other.ServiceProvider.GetRequiredService<UserManager<User>>());
    }
}
