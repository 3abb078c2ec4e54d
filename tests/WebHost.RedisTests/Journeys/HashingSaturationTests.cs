using System.Net;
using Maintenance.Testing;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Maintenance.WebHost.RedisTests.Journeys;

/// <summary>More log-ins at once than the host can hash: some are told when to come again, and nobody else notices.</summary>
[Collection(HostGroup.Name)]
public sealed class HashingSaturationTests(HostFixture fixture)
{
    private const int AtOnce = 12;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task MoreLogInsThanCanBeHashed_Get503WithRetryAfter_WhileVerifyGoesOn_AndNoneIsAnsweredOtherwise()
    {
        var hasher = new GatedHasher();
        await using var host = await HostInstance.StartAsync(
            new(fixture.Settings) { ["Passwords:MaxWaitingHashes"] = "1", ["Passwords:MaxParallelHashes"] = "1" },
            services => services.Replace(ServiceDescriptor.Singleton<IPasswordHasher<User>>(hasher)));
        // Opens before the host ends, which waits for its requests.
        using var gate = hasher;
        var client = new AuthClient(host.Api);
        // The decoy, which the host makes beside its start, would take the one place to wait.
        await Eventually.TrueAsync(() => hasher.HasMade, Patience);
        // Each its own account, known or not: an account's own limit has no part in this.
        var known = new List<string>();
        for (var i = 0; i < AtOnce / 2; i++)
        {
            known.Add(await client.RegisterAsync());
        }

        var session = (await client.LoginAsync(known[0])).Session;
        hasher.Close();

        var logIns = known.Concat(Enumerable.Range(0, AtOnce / 2).Select(_ => AuthClient.NewAddress())).Select(email => client.TryLoginAsync(email)).ToList();
        // One is hashed and does not end, one waits; the rest are refused while that is so, not after it.
        await Eventually.TrueAsync(() => logIns.Count(logIn => logIn.IsCompletedSuccessfully) >= AtOnce - 2, Patience);
        var refused = logIns.Where(logIn => logIn.IsCompletedSuccessfully).Select(logIn => logIn.Result).ToList();
        refused.ShouldAllBe(reply => reply.Status == HttpStatusCode.ServiceUnavailable);
        refused.ShouldAllBe(reply => int.Parse(reply.Headers["Retry-After"], null) >= 1);
        (await client.VerifyAsync(session)).ShouldBe(HttpStatusCode.OK);
        logIns.ShouldContain(logIn => !logIn.IsCompleted, "a hash was still being made");

        hasher.Open();
        var replies = await Task.WhenAll(logIns);

        replies.Take(known.Count).ShouldAllBe(reply => reply.Status == HttpStatusCode.OK || reply.Status == HttpStatusCode.ServiceUnavailable);
        replies.Skip(known.Count).ShouldAllBe(reply => reply.Status == HttpStatusCode.Unauthorized || reply.Status == HttpStatusCode.ServiceUnavailable);
        foreach (var email in known)
        {
            await client.LoginAsync(email);
        }
    }

    private sealed class GatedHasher : IPasswordHasher<User>, IDisposable
    {
        private readonly PasswordHasher<User> inner = new();
        private readonly ManualResetEventSlim gate = new(initialState: true);

        private int made;

        /// <summary>Whether a hash has been begun.</summary>
        public bool HasMade => Volatile.Read(ref made) > 0;

        public void Close() => gate.Reset();

        public void Open() => gate.Set();

        public string HashPassword(User user, string password)
        {
            Interlocked.Increment(ref made);
            gate.Wait();
            return inner.HashPassword(user, password);
        }

        public PasswordVerificationResult VerifyHashedPassword(User user, string hashedPassword, string providedPassword)
        {
            gate.Wait();
            return inner.VerifyHashedPassword(user, hashedPassword, providedPassword);
        }

        public void Dispose()
        {
            gate.Set();
            gate.Dispose();
        }
    }
}
