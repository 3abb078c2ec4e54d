using System.Text.Json.Nodes;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.UserData;
using Maintenance.Testing;
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

    [Fact]
    public async Task Mark_IsLookedBehind_WhenItIsOlderThanAJournalledRevocationMayBe()
    {
        await using var logIn = await BeginAsync();
        var mark = await logIn.Issuer.MarkAsync(logIn.User, default);
        await ChangeStampAsync(logIn.User);

        logIn.Clock.Advance(TimeSpan.FromSeconds(1));

        (await logIn.FinishAsync(mark)).ShouldBeNull();
        (await host.SessionStore.ListAsync(logIn.User.Key, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Mark_OfAnAccountThatIsDeletedAfterwards_LetsNoLogInPass()
    {
        await using var logIn = await BeginAsync();
        // Between the first end of its sessions and the end of the account.
        await host.SessionStore.RevokeAllAsync(logIn.User.Key, except: null, default);
        await host.SignedInAsync(logIn.User);
        var source = new Pausing();
        var erasing = ActivatorUtilities.CreateInstance<UserDataService>(
            host.Services, (IEnumerable<IUserDataSource>)[source, .. host.Services.GetServices<IUserDataSource>()]).EraseAsync(logIn.User.Key, default);
        await source.Begun.Task;
        var again = await host.SignedInAsync(logIn.User);
        var mark = await logIn.Issuer.MarkAsync(logIn.User, default);
        mark.ShouldNotBeNull();
        source.GoOn.SetResult();
        await erasing;

        (await logIn.FinishAsync(mark)).ShouldBeNull();
        (await again.GetAsync("/api/auth/verify")).Status.ShouldBe(401);
        (await host.SessionStore.ListAsync(logIn.User.Key, default)).ShouldBeEmpty();
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
    private sealed record LogIn(AsyncServiceScope Scope, User User, ManualTimeProvider Clock, SessionIssuer Issuer) : IAsyncDisposable
    {
        public static async Task<LogIn> BeginAsync(FeatureHost host, User user)
        {
            var (scope, clock) = (host.Services.CreateAsyncScope(), new ManualTimeProvider());
            return new LogIn(
                scope,
                (await scope.ServiceProvider.GetRequiredService<UserManager<User>>().FindByIdAsync(user.Key))!,
                clock,
                ActivatorUtilities.CreateInstance<SessionIssuer>(scope.ServiceProvider, clock));
        }

        public Task<SignedIn?> FinishAsync(AccountMark? mark) =>
            Issuer.IssueAsync(new DefaultHttpContext { RequestServices = Scope.ServiceProvider }, User, device: null, mark, default);

        public ValueTask DisposeAsync() => Scope.DisposeAsync();
    }

    /// <summary>Holds an erasure up before the account goes.</summary>
    private sealed class Pausing : IUserDataSource
    {
        public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource GoOn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Name => "pausing";

        public Task<JsonNode?> ExportAsync(string userId, CancellationToken cancellationToken) => Task.FromResult<JsonNode?>(null);

        public async Task<long> EraseAsync(string userId, CancellationToken cancellationToken)
        {
            Begun.SetResult();
            await GoOn.Task;
            return 0;
        }
    }
}
