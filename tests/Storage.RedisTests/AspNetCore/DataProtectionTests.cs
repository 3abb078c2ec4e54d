using System.Diagnostics;
using System.Security.Cryptography;
using System.Xml.Linq;
using Maintenance.Storage.AspNetCore.DataProtection;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Storage.RedisTests.AspNetCore;

public sealed class DataProtectionTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    [Fact]
    public async Task Hosts_ReadWhatAnotherProtected_BecauseTheirKeysAreInRedis_WithoutATtl()
    {
        await using var first = await StartAsync(redis.Server);
        await using var second = await StartAsync(redis.Server, first.Prefix);
        await using var stranger = await StartAsync(redis.Server);

        using var answer = await first.SendAsync("/protect");
        var text = await answer.Content.ReadAsStringAsync();

        second.Get<IDataProtectionProvider>().CreateProtector("test").Unprotect(text).ShouldBe("kept");
        Should.Throw<CryptographicException>(() => stranger.Get<IDataProtectionProvider>().CreateProtector("test").Unprotect(text));
        var key = (await redis.Server.KeysAsync($"{first.Prefix}*")).ShouldHaveSingleItem();
        first.Get<RedisKeys>().TryParse(key, out var parsed).ShouldBeTrue();
        parsed.Kind.ShouldBe(StateKind.DataProtection);
        (await redis.Server.IntegerAsync("PTTL", key)).ShouldBe(-1);
    }

    [Fact]
    public async Task Element_StoredTwice_IsThereOnce_AndComesBackAsItWas()
    {
        await using var host = await StartAsync(redis.Server);
        var repository = Repository(host);
        var element = XElement.Parse("<key id=\"1\"> <a>x &amp; y</a> </key>");

        repository.StoreElement(element, "key-1");
        repository.StoreElement(element, "key-1");
        repository.StoreElement(new XElement("revocation"), "");

        var all = repository.GetAllElements();
        all.Count.ShouldBe(2);
        all.ShouldContain(one => XNode.DeepEquals(one, element));
    }

    [Fact]
    public async Task Call_EndsAtItsDeadlineWithAnError_AndNeverWithAnEmptyRing_WhileRedisStandsStill()
    {
        await using var own = await RedisServer.StartAsync();
        await using var host = await StartAsync(own);
        var repository = Repository(host, TimeSpan.FromMilliseconds(500));
        Repository(host).GetAllElements().ShouldBeEmpty();
        await own.PauseAsync();
        try
        {
            var started = Stopwatch.GetTimestamp();
            Should.Throw<StorageUnavailableException>(() => repository.GetAllElements());
            // The machine that runs this may be busy; the connection's own deadline is twice as long.
            Stopwatch.GetElapsedTime(started).TotalSeconds.ShouldBeInRange(0.2, 15);
        }
        finally
        {
            await own.ResumeAsync();
        }
    }

    // A ring of its own: the host makes a key in its own at the start.
    private static RedisXmlRepository Repository(HostOnRedis host, TimeSpan? deadline = null) =>
        new(host.Get<RedisConnection>(), host.Get<RedisKeys>(), "another", deadline ?? TimeSpan.FromSeconds(30));

    private static Task<HostOnRedis> StartAsync(RedisServer server, string? prefix = null) => HostOnRedis.StartAsync(
        server,
        services => services.AddDataProtection().SetApplicationName("test").PersistKeysToAuthStorage(),
        app => app.MapGet("/protect", (IDataProtectionProvider provider) => provider.CreateProtector("test").Protect("kept")),
        prefix);
}
