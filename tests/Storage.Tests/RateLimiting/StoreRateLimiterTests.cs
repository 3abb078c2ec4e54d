using System.Net;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Maintenance.Storage.Memory;
using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.RateLimiting.AspNetCore;
using Maintenance.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Storage.Tests.RateLimiting;

public sealed class StoreRateLimiterTests : IDisposable
{
    private readonly ManualTimeProvider clock = new();
    private readonly MemoryRateLimitStore store;

    public StoreRateLimiterTests() => store = new MemoryRateLimitStore(
        new FixedOptions<RateLimitOptions>(new RateLimitOptions { Policies = { ["p"] = new RateLimitPolicy { Permits = 2, Period = TimeSpan.FromMinutes(1) } } }),
        new FixedOptions<MemoryOptions>(new MemoryOptions()),
        clock);

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task AcquireAsync_GivesLeasesUntilTheLimitWithMetadata()
    {
        await using var limiter = new StoreRateLimiter(store, "p", "s", clock);
        (await limiter.AcquireAsync(2)).IsAcquired.ShouldBeTrue();

        var denied = await limiter.AcquireAsync();

        denied.IsAcquired.ShouldBeFalse();
        denied.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter).ShouldBeTrue();
        retryAfter.ShouldBe(TimeSpan.FromSeconds(30));
        denied.TryGetMetadata(StoreRateLimitLease.Result, out var result).ShouldBeTrue();
        result!.Limit.ShouldBe(2);
        denied.MetadataNames.ShouldBe(["RETRY_AFTER", "REASON_PHRASE", "AUTHSTORE_RATE_LIMIT"]);
        (limiter.GetStatistics().TotalSuccessfulLeases, limiter.GetStatistics().TotalFailedLeases).ShouldBe((1, 1));
        clock.Advance(TimeSpan.FromSeconds(30));
        (await limiter.AcquireAsync(0)).IsAcquired.ShouldBeTrue();
        (await limiter.AcquireAsync()).IsAcquired.ShouldBeTrue();
    }

    [Fact]
    public async Task AttemptAcquire_FailsWithoutTakingAnything()
    {
        await using var limiter = new StoreRateLimiter(store, "p", "s", clock);

        limiter.AttemptAcquire().IsAcquired.ShouldBeFalse();

        store.Count.ShouldBe(0);
    }

    [Fact]
    public async Task AcquireAsync_Denies_WhenTheStoreDoesNotAnswer()
    {
        await using var limiter = new StoreRateLimiter(new SilentStore(), "p", "s", clock);

        var lease = await limiter.AcquireAsync();

        lease.IsAcquired.ShouldBeFalse();
        lease.TryGetMetadata(MetadataName.ReasonPhrase, out var reason).ShouldBeTrue();
        reason.ShouldBe("unavailable");
    }

    [Fact]
    public async Task IdleDuration_GrowsSoThatPartitionsAreLetGo()
    {
        await using var limiter = new StoreRateLimiter(store, "p", "s", clock);
        clock.Advance(TimeSpan.FromSeconds(5));
        limiter.IdleDuration.ShouldBe(TimeSpan.FromSeconds(5));

        await limiter.AcquireAsync();

        limiter.IdleDuration.ShouldBe(TimeSpan.Zero);
    }

    [Theory]
    [InlineData("192.0.2.7", "address:192.0.2.7")]
    [InlineData("::ffff:192.0.2.7", "address:192.0.2.7")]
    [InlineData("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64")]
    [InlineData("fe80::1%3", "address:fe80::/64")]
    [InlineData(null, "address:unknown")]
    public void AddressSubject_IsTheAddressOrItsNetwork(string? address, string subject) =>
        RateLimitPartitions.AddressSubject(address is null ? null : IPAddress.Parse(address)).ShouldBe(subject);

    [Fact]
    public async Task Limiter_CountsUsersAndAddressesAndRoutesApart()
    {
        await using var byUser = RateLimitPartitions.Limiter(RateLimitPartitions.ByUser, "p");
        await using var byRoute = RateLimitPartitions.Limiter(RateLimitPartitions.ByRoute, "p");

        (await byUser.AcquireAsync(Request("192.0.2.1", "alice", "/a"), 2)).IsAcquired.ShouldBeTrue();
        (await byUser.AcquireAsync(Request("192.0.2.2", "alice", "/b"))).IsAcquired.ShouldBeFalse();
        (await byUser.AcquireAsync(Request("192.0.2.1", "bob", "/a"))).IsAcquired.ShouldBeTrue();
        (await byUser.AcquireAsync(Request("192.0.2.1", null, "/a"), 2)).IsAcquired.ShouldBeTrue();
        (await byUser.AcquireAsync(Request("192.0.2.1", null, "/b"))).IsAcquired.ShouldBeFalse();
        (await byRoute.AcquireAsync(Request("192.0.2.1", null, "/a"), 2)).IsAcquired.ShouldBeTrue();
        (await byRoute.AcquireAsync(Request("192.0.2.9", "carol", "/a"))).IsAcquired.ShouldBeFalse();
        (await byRoute.AcquireAsync(Request("192.0.2.9", "carol", "/b"))).IsAcquired.ShouldBeTrue();
    }

    private DefaultHttpContext Request(string address, string? user, string route)
    {
        var context = new DefaultHttpContext { RequestServices = new ServiceCollection().AddSingleton<IRateLimitStore>(store).BuildServiceProvider() };
        context.Connection.RemoteIpAddress = IPAddress.Parse(address);
        if (user is not null)
        {
            context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, user)], "test"));
        }

        context.SetEndpoint(new RouteEndpoint(_ => Task.CompletedTask, RoutePatternFactory.Parse(route), 0, null, null));
        return context;
    }
}
