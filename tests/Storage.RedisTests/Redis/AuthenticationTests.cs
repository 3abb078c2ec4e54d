using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Redis;

/// <summary>Passwords, databases, and what the client asks at the start.</summary>
public sealed class AuthenticationTests
{
    private const string Password = "p,w=1 @:/#?%é";

    [Fact]
    public async Task Password_WithSpecialCharacters_OpensTheServer_FromTheUrlAndFromItsSetting()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { Password = Password });
        await using var byUrl = new StoreHarness(server.Url);
        await using var bySetting = new StoreHarness(
            new RedisOptions { Host = "127.0.0.1", Port = server.Port, Password = Password, Database = 3, Deadline = StoreHarness.Patience, ConnectTimeout = StoreHarness.Patience });

        (await byUrl.ValidateAsync(await byUrl.LogInAsync("u"))).IsValid.ShouldBeTrue();
        (await bySetting.ValidateAsync(await bySetting.LogInAsync("u"))).IsValid.ShouldBeTrue();

        (await server.IntegerAsync("DBSIZE")).ShouldBe(3);
        await server.ExecuteAsync("SELECT", "3");
        (await server.IntegerAsync("DBSIZE")).ShouldBe(3);
    }

    [Fact]
    public async Task Connection_AsksForNoneOfTheServersSettings_WhichMayHoldAPassword()
    {
        await using var server = await RedisServer.StartAsync();
        await using var harness = new StoreHarness(server.Url);

        (await harness.ValidateAsync(await harness.LogInAsync("u"))).IsValid.ShouldBeTrue();

        (await server.CallsAsync("config|get")).ShouldBe(0, "neither program's user may ask it (deploy/redis/users.acl)");
        (await server.CallsAsync("info")).ShouldBePositive("the client looked at the server");
    }

    [Theory]
    [InlineData("wrong-password")]
    [InlineData(null)]
    public async Task WrongOrMissingPassword_IsUnavailable_SaysWhy_AndNeverShowsThePassword(string? password)
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { Password = Password });
        await using var harness = new StoreHarness(
            new RedisOptions { Host = "127.0.0.1", Port = server.Port, Password = password, Deadline = TimeSpan.FromSeconds(5), ConnectTimeout = TimeSpan.FromSeconds(2) });

        // On a busy machine the first attempt may only have run out of time.
        StorageUnavailableException failure = null!;
        await Eventually.SucceedsAsync(async () =>
        {
            failure = await Should.ThrowAsync<StorageUnavailableException>(() => harness.LogInAsync("u"));
            failure.Message.ShouldContain("password");
        });

        var texts = harness.Log.Entries.Select(entry => entry.Message).Append(failure.ToString());
        texts.ShouldAllBe(text => !text.Contains(Password) && !text.Contains("wrong-password"));
    }
}
