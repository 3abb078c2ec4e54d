using System.Net;
using System.Text.Json;
using Maintenance.Testing;

namespace Maintenance.WebHost.RedisTests;

/// <summary>The built host as a process, on a real Redis.</summary>
public sealed class HostProcessTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly Dictionary<string, string?> Settings = new(StringComparer.Ordinal)
    {
        ["Api__Port"] = "0",
        // A machine that stands still must not cut the end off.
        ["Api__ShutdownTimeout"] = "00:00:45",
        ["Database__Provider"] = "Memory",
        ["Mail__Folder"] = Path.GetTempPath(),
    };

    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(60) };

    [Fact]
    public async Task Host_ServesProbesMetricsAndHealth_AndEndsOnSigterm()
    {
        var port = FreePort.Next();
        await using var host = Start(port, redis.Server.Url);
        await ReadyAsync(port);

        (await StatusAsync(port, "/healthz/startup")).ShouldBe(HttpStatusCode.OK);
        (await StatusAsync(port, "/healthz/live")).ShouldBe(HttpStatusCode.OK);
        var metrics = await Http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"));
        metrics.ShouldContain("authstore_sessions_created_total 0");
        metrics.ShouldContain("authstore_lookups_total{result=\"hit\",store=\"sessions\"} 0");
        // It asks Redis anew, with a service's short deadline.
        await Eventually.SucceedsAsync(async () =>
        {
            using var health = JsonDocument.Parse(await Http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/health")));
            health.RootElement.GetProperty("status").GetString().ShouldBe("healthy");
            health.RootElement.GetProperty("checks").GetProperty("redis").GetProperty("data").GetProperty("read_milliseconds").GetDouble().ShouldBeGreaterThan(0);
        });

        await host.SignalAsync(Signal.Terminate);
        (await host.WaitForExitAsync(TimeSpan.FromSeconds(60))).ShouldBe(0);
    }

    [Fact]
    public async Task Host_StartsWithoutRedis_LivesAndIsNotReady_UntilRedisComes()
    {
        await using var own = await RedisServer.StartAsync();
        await own.StopAsync();
        var port = FreePort.Next();
        await using var host = Start(port, own.Url);

        await Eventually.TrueAsync(async () => await StatusOrNullAsync(port, "/healthz/live") == HttpStatusCode.OK, TimeSpan.FromSeconds(90));
        (await StatusAsync(port, "/healthz/ready")).ShouldBe(HttpStatusCode.ServiceUnavailable);

        await own.RestartAsync();
        await ReadyAsync(port);
    }

    [Theory]
    [InlineData("Management__Port", "99999", "Management:Port")]
    [InlineData("Api__Port", "99999", "Api:Port")]
    [InlineData("Api__Port", "many", "Api:Port")]
    [InlineData("Storage__RateLimits__login-ip__Permits", "many", "Storage:RateLimits:login-ip:Permits")]
    [InlineData("ExternalSignIn__Providers__x__ClientIdd", "me", "ExternalSignIn:Providers:x:ClientIdd")]
    [InlineData("Database__Provider", "Auto", "DATABASE_URL")]
    [InlineData("Mail__Folder", "", "Mail:Host")]
    [InlineData("Mail__Host", "smtp.example.com", "Mail:PublicUrl")]
    [InlineData("Passwords__MinLength", "3", "Passwords:MinLength")]
    [InlineData("Proxies__Addresses__0", "proxy", "Proxies:Addresses:0")]
    [InlineData("Storage__Redis__Url", "http://nowhere", "Storage:Redis:Url")]
    [InlineData("REDIS_PORT", "many", "REDIS_PORT")]
    [InlineData("Storage__Mode", "Sometimes", "Storage:Mode")]
    [InlineData("Storage__Outage__RefreshTokens", "Memory", "Storage:Outage:RefreshTokens")]
    [InlineData("Storage__Sessions__MaxSessionsPerUser", "0", "Storage:Sessions:MaxSessionsPerUser")]
    public async Task Host_DoesNotStart_AndNamesTheSetting_WhenItIsWrong(string variable, string value, string named)
    {
        await using var host = ChildProcess.StartOurs(
            "WebHost", [], new Dictionary<string, string?>(Settings) { ["Management__Port"] = $"{FreePort.Next()}", [variable] = value });

        (await host.WaitForExitAsync(TimeSpan.FromSeconds(90))).ShouldBe(2);

        string.Join('\n', host.Errors).ShouldContain(named);
        string.Join('\n', host.Errors).ShouldNotContain("   at ");
    }

    [Fact]
    public void AppSettings_SayNothingOfStorage_SoThatTheOlderEnvironmentNamesAreHeard()
    {
        var file = Path.Combine(Path.GetDirectoryName(BuiltProgram.PathOf("WebHost"))!, "appsettings.json");
        using var settings = JsonDocument.Parse(File.ReadAllText(file));
        settings.RootElement.TryGetProperty("Storage", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Host_NamesThePort_WhenItIsTaken()
    {
        var port = FreePort.Next();
        await using var first = Start(port, redis.Server.Url);
        await ReadyAsync(port);
        await using var second = Start(port, redis.Server.Url);

        (await second.WaitForExitAsync(TimeSpan.FromSeconds(90))).ShouldBe(2);

        string.Join('\n', second.Errors).ShouldContain("Management:Port");
    }

    private static ChildProcess Start(int port, string redisUrl) => ChildProcess.StartOurs(
        "WebHost",
        [],
        new Dictionary<string, string?>(Settings)
        {
            ["Management__Address"] = "127.0.0.1",
            ["Management__Port"] = $"{port}",
            ["REDIS_URL"] = redisUrl,
        });

    private static Task ReadyAsync(int port) =>
        Eventually.TrueAsync(async () => await StatusOrNullAsync(port, "/healthz/ready") == HttpStatusCode.OK, TimeSpan.FromSeconds(90));

    private static async Task<HttpStatusCode> StatusAsync(int port, string path)
    {
        using var response = await Http.GetAsync(new Uri($"http://127.0.0.1:{port}{path}"));
        return response.StatusCode;
    }

    private static async Task<HttpStatusCode?> StatusOrNullAsync(int port, string path)
    {
        try
        {
            return await StatusAsync(port, path);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
