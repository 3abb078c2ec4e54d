using Maintenance.Storage.RefreshTokens;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.FeatureTests.Sessions;

/// <summary>A log-in that looks at the account while its password is compared, and somebody who changes the account meanwhile.</summary>
[Collection(FeatureCollection.Name)]
public sealed class SessionIssuerTests(FeatureHost host)
{
    [Fact]
    public async Task Mark_OfAnAccountThatIsShutAfterwards_LetsNoLogInPass()
    {
        await using var logIn = await BeginAsync();
        var mark = await logIn.Issuer.MarkAsync(logIn.User, default);
        mark.ShouldNotBeNull();

        await ChangeStampAsync(logIn.User);
        await host.SessionStore.RevokeAllAsync(logIn.User.Key, except: null, default);

        (await logIn.FinishAsync(mark)).ShouldBeNull();
        (await host.SessionStore.ListAsync(logIn.User.Key, default)).ShouldBeEmpty();
        (await host.Services.GetRequiredService<IRefreshTokenStore>().ListAsync(logIn.User.Key, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Mark_OfAnAccountThatHasChanged_IsNone_AndItsLogInIsRefused()
    {
        await using var logIn = await BeginAsync();
        await ChangeStampAsync(logIn.User);

        (await logIn.Issuer.MarkAsync(logIn.User, default)).ShouldBeNull();

        (await logIn.FinishAsync(mark: null)).ShouldBeNull();
    }

    [Fact]
    public async Task Mark_OfNobody_IsNone()
    {
        await using var logIn = await BeginAsync();

        (await logIn.Issuer.MarkAsync(user: null, default)).ShouldBeNull();
    }

    [Fact]
    public async Task LogIn_LooksAgain_WhenSessionsWereEndedSinceTheMark_AndGoesOnIfTheAccountIsUnchanged()
    {
        await using var logIn = await BeginAsync();
        var mark = await logIn.Issuer.MarkAsync(logIn.User, default);

        await host.SessionStore.RevokeAllAsync(logIn.User.Key, except: null, default);

        (await logIn.FinishAsync(mark)).ShouldNotBeNull().RefreshToken.ShouldNotBeNull();
    }

    // What makes it worth having: a log-in whose mark still holds asks the database nothing more. It counts as having ended before the change.
    [Fact]
    public async Task LogIn_DoesNotLookAgain_WhenNoSessionsWereEndedSinceTheMark()
    {
        await using var logIn = await BeginAsync();
        var mark = await logIn.Issuer.MarkAsync(logIn.User, default);

        await ChangeStampAsync(logIn.User);

        (await logIn.FinishAsync(mark)).ShouldNotBeNull();
    }

    [Fact]
    public async Task LogIn_HasBothTokens_WhenRedisHasForgottenTheScripts()
    {
        await using var logIn = await BeginAsync();
        await host.Redis.ExecuteAsync("SCRIPT", "FLUSH");

        var signedIn = (await logIn.FinishAsync(mark: null)).ShouldNotBeNull();

        (await host.SessionStore.ValidateAsync(signedIn.SessionToken, default)).IsValid.ShouldBeTrue();
        (await host.Services.GetRequiredService<IRefreshTokenStore>().RotateAsync(signedIn.RefreshToken, default)).Outcome.ShouldBe(RefreshOutcome.Rotated);
    }

    // Of somebody who has signed in before, so that there is a generation.
    private async Task<LogIn> BeginAsync()
    {
        var user = await host.AccountAsync();
        var before = await host.SignedInAsync(user);
        await host.SessionStore.RevokeAsync(user.Key, Storage.Sessions.SessionId.Parse(before.SessionId!), default);
        return await LogIn.BeginAsync(host, user);
    }

    private async Task ChangeStampAsync(User user)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<User>>();
        (await users.UpdateSecurityStampAsync((await users.FindByIdAsync(user.Key))!)).Succeeded.ShouldBeTrue();
    }

    /// <summary>A request that has read its user.</summary>
    private sealed record LogIn(AsyncServiceScope Scope, User User) : IAsyncDisposable
    {
        public SessionIssuer Issuer => Scope.ServiceProvider.GetRequiredService<SessionIssuer>();

        public static async Task<LogIn> BeginAsync(FeatureHost host, User user)
        {
            var scope = host.Services.CreateAsyncScope();
            return new LogIn(scope, (await scope.ServiceProvider.GetRequiredService<UserManager<User>>().FindByIdAsync(user.Key))!);
        }

        public Task<SignedIn?> FinishAsync(long? mark) =>
            Issuer.IssueAsync(new DefaultHttpContext { RequestServices = Scope.ServiceProvider }, User, device: null, mark, default);

        public ValueTask DisposeAsync() => Scope.DisposeAsync();
    }
}
