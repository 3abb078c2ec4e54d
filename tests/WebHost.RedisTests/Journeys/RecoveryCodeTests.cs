using System.Net;
using System.Reflection;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.RedisTests.Journeys;

/// <summary>A recovery code is used up by a log-in, and by nothing else.</summary>
[Collection(HostGroup.Name)]
public sealed class RecoveryCodeTests(HostFixture fixture)
{
    [Theory]
    [InlineData(typeof(ITwoFactorStore), nameof(ITwoFactorStore.CompleteAsync))]
    [InlineData(typeof(ISessionStore), nameof(ISessionStore.CreateAsync))]
    public async Task RecoveryCode_IsNotUsedUp_WhenTheStoreFailsOnTheWayToTheSession(Type store, string method)
    {
        var failure = new Failure { Method = method };
        await using var host = await HostInstance.StartAsync(fixture.Settings, services => FailOnce(services, store, failure));
        var client = new AuthClient(host.Api);
        var (email, code) = await EnrolledAsync(client);
        var challenge = await ChallengeAsync(client, email);
        failure.Armed = true;

        (await FinishAsync(client, challenge, code)).Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        failure.Armed.ShouldBeFalse();

        (await FinishAsync(client, await ChallengeAsync(client, email), code)).Status.ShouldBe(HttpStatusCode.OK);
        (await FinishAsync(client, await ChallengeAsync(client, email), code)).Code.ShouldBe("invalid_code");
    }

    [Fact]
    public async Task RecoveryCode_IsNotUsedUp_WhenTheAccountMayNotSignIn()
    {
        var client = fixture.Client;
        var (email, code) = await EnrolledAsync(client);
        var challenge = await ChallengeAsync(client, email);
        await LockAsync("now() + interval '1 hour'");
        (await FinishAsync(client, challenge, code)).Code.ShouldBe("account_locked");

        await LockAsync("NULL");

        (await FinishAsync(client, await ChallengeAsync(client, email), code)).Status.ShouldBe(HttpStatusCode.OK);

        Task LockAsync(string until) => fixture.Database.ExecuteAsync($"UPDATE users SET lockout_end = {until} WHERE email = $1", email);
    }

    [Fact]
    public async Task RecoveryCode_SentTwiceAtOnce_GivesOneSession()
    {
        var client = fixture.Client;
        var (email, code) = await EnrolledAsync(client);
        string[] challenges = [await ChallengeAsync(client, email), await ChallengeAsync(client, email), await ChallengeAsync(client, email)];

        var answers = await Task.WhenAll(challenges.Select(challenge => FinishAsync(client, challenge, code)));

        var signedIn = answers.Where(answer => answer.Status == HttpStatusCode.OK).ShouldHaveSingleItem();
        answers.Count(answer => answer.Status == HttpStatusCode.Unauthorized && answer.Code == "invalid_code").ShouldBe(2);
        answers.Where(answer => answer != signedIn).ShouldAllBe(answer => !answer.Headers.ContainsKey("Set-Cookie"));
        (await client.GetAsync("/api/auth/sessions", signedIn.Tokens.Session)).Json.GetProperty("sessions").GetArrayLength().ShouldBe(1);
    }

    private static async Task<string> ChallengeAsync(AuthClient client, string email) => (await client.TryLoginAsync(email)).Json.GetProperty("challengeId").GetString()!;

    private static Task<Reply> FinishAsync(AuthClient client, string challengeId, string code) => client.PostAsync("/api/auth/login/2fa", new { challengeId, code });

    private async Task<(string Email, string Code)> EnrolledAsync(AuthClient client)
    {
        var email = await client.RegisterAsync();
        using var scope = fixture.Host.Services.CreateScope();
        using var users = scope.ServiceProvider.GetRequiredService<UserManager<User>>();
        var user = (await users.FindByEmailAsync(email))!;
        user.AuthenticatorKey = WebHost.TwoFactor.Totp.NewKey();
        user.TwoFactorEnabled = true;
        return (email, (await users.GenerateNewTwoFactorRecoveryCodesAsync(user, 3))!.First());
    }

    private static void FailOnce(IServiceCollection services, Type store, Failure failure)
    {
        var registered = services.Last(service => service.ServiceType == store);
        services.Remove(registered);
        services.AddSingleton(store, provider =>
        {
            var proxy = DispatchProxy.Create(store, typeof(FailingOnce));
            ((FailingOnce)proxy).Inner = registered.ImplementationFactory!(provider);
            ((FailingOnce)proxy).Failure = failure;
            return proxy;
        });
    }

    private sealed class Failure
    {
        public required string Method { get; init; }

        public bool Armed { get; set; }
    }

    // A type is made from it at run time.
#pragma warning disable CA1852
    private class FailingOnce : DispatchProxy
#pragma warning restore CA1852
    {
        public object Inner { get; set; } = null!;

        public Failure Failure { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (Failure.Armed && targetMethod!.Name == Failure.Method)
            {
                Failure.Armed = false;
                throw new StorageUnavailableException(UnavailableReason.Connection, "The test says so.");
            }

            return targetMethod!.Invoke(Inner, args);
        }
    }
}
