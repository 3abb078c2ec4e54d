using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Tests;

public sealed class StorageSettingsTests
{
    [Fact]
    public void Environment_NamesOfTheOlderBackendsAreRead()
    {
        using var provider = Provider(
            ("REDIS_HOST", "cache"), ("REDIS_PORT", "7000"), ("REDIS_PASSWORD", "p,w"), ("REDIS_DB", "3"), ("REDIS_ENABLED", "true"), ("SESSION_TTL", "604800"));

        var redis = provider.GetRequiredService<IOptions<RedisOptions>>().Value;
        redis.ShouldSatisfyAllConditions(
            () => redis.Host.ShouldBe("cache"),
            () => redis.Port.ShouldBe(7000),
            () => redis.Password.ShouldBe("p,w"),
            () => redis.Database.ShouldBe(3),
            () => redis.Enabled.ShouldBeTrue());
        RedisEndpoint.From(redis).ToString().ShouldBe("cache:7000/3");
        provider.GetRequiredService<IOptions<SessionOptions>>().Value.SlidingExpiration.ShouldBe(TimeSpan.FromDays(7));
    }

    [Fact]
    public void RedisUrl_TakesPasswordAndDatabaseFromTheirOwnNames_WhenItHasNone()
    {
        using var provider = Provider(("REDIS_URL", "redis://cache:6380"), ("REDIS_PASSWORD", "pw"), ("REDIS_DB", "2"));

        RedisEndpoint.From(provider.GetRequiredService<IOptions<RedisOptions>>().Value)
            .ShouldBe(new RedisEndpoint("cache", 6380, 2, null, "pw", Tls: false));
    }

    [Fact]
    public void RedisPortOfAKubernetesServiceLink_IsNotASetting()
    {
        using var provider = Provider(("REDIS_HOST", "redis"), ("REDIS_PORT", "tcp://10.0.0.1:6379"));

        provider.GetRequiredService<IOptions<RedisOptions>>().Value.Port.ShouldBe(6379);
    }

    [Fact]
    public void RedisEnabledFalse_IsBound()
    {
        using var provider = Provider(("REDIS_ENABLED", "false"), ("REDIS_URL", "redis://"));

        provider.GetRequiredService<IOptions<RedisOptions>>().Value.Enabled.ShouldBeFalse();
    }

    [Fact]
    public void OwnSettings_WinOverTheEnvironmentsNames()
    {
        using var provider = Provider(
            ("REDIS_URL", "redis://old:1"), ("REDIS_DB", "1"), ("SESSION_TTL", "60"), ("REFRESH_TOKEN_TTL_DAYS", "3"),
            ("Storage:Redis:Url", "redis://new:2"), ("Storage:Redis:Database", "5"), ("Storage:Sessions:SlidingExpiration", "02:00:00"), ("Storage:Tokens:RefreshToken", "1.00:00:00"));

        RedisEndpoint.From(provider.GetRequiredService<IOptions<RedisOptions>>().Value).ToString().ShouldBe("new:2/5");
        provider.GetRequiredService<IOptions<SessionOptions>>().Value.SlidingExpiration.ShouldBe(TimeSpan.FromHours(2));
        provider.GetRequiredService<IOptions<TokenLifetimeOptions>>().Value.RefreshToken.ShouldBe(TimeSpan.FromDays(1));
    }

    [Fact]
    public void OwnHost_IsNotBeatenByTheEnvironmentsUrl()
    {
        using var provider = Provider(("REDIS_URL", "redis://old:1"), ("Storage:Redis:Host", "new"));

        RedisEndpoint.From(provider.GetRequiredService<IOptions<RedisOptions>>().Value).ToString().ShouldBe("new:6379/0");
    }

    [Fact]
    public void EmptyVariables_AreAsIfNotSet()
    {
        using var provider = Provider(("REDIS_PASSWORD", ""), ("REDIS_PORT", ""), ("REDIS_URL", ""), ("SESSION_TTL", ""), ("REFRESH_TOKEN_EXPIRY", ""));

        Should.NotThrow(() => Validate(provider));
        provider.GetRequiredService<IOptions<RedisOptions>>().Value.Port.ShouldBe(6379);
    }

    [Fact]
    public void SessionTtl_BeyondTheDefaultAbsoluteExpiryLengthensThatToo()
    {
        using var provider = Provider(("SESSION_TTL", "2592000"));

        Validate(provider);
        provider.GetRequiredService<IOptions<SessionOptions>>().Value.AbsoluteExpiration.ShouldBe(TimeSpan.FromDays(30));
    }

    [Fact]
    public void TokenLifetimes_HaveTheirDefaults()
    {
        using var provider = Provider();
        var lifetimes = provider.GetRequiredService<IOptions<TokenLifetimeOptions>>().Value;

        lifetimes.RefreshToken.ShouldBe(TimeSpan.FromDays(7));
        lifetimes.PasswordReset.ShouldBe(TimeSpan.FromMinutes(15));
        lifetimes.TwoFactorChallenge.ShouldBe(TimeSpan.FromMinutes(5));
    }

    [Fact]
    public void TokenLifetimes_AreReadFromTheEnvironmentsNames()
    {
        using var provider = Provider(("REFRESH_TOKEN_TTL_DAYS", "14"), ("RESET_TOKEN_TTL_HOURS", "1"), ("MFA_TOKEN_TTL_MINUTES", "10"));
        var lifetimes = provider.GetRequiredService<IOptions<TokenLifetimeOptions>>().Value;

        lifetimes.RefreshToken.ShouldBe(TimeSpan.FromDays(14));
        lifetimes.PasswordReset.ShouldBe(TimeSpan.FromHours(1));
        lifetimes.TwoFactorChallenge.ShouldBe(TimeSpan.FromMinutes(10));
    }

    [Theory]
    [InlineData("7d", 604_800)]
    [InlineData("24h", 86_400)]
    [InlineData("30m", 1800)]
    [InlineData("900s", 900)]
    public void RefreshTokenExpiry_IsANumberAndAUnit(string text, int seconds)
    {
        using var provider = Provider(("REFRESH_TOKEN_EXPIRY", text));

        provider.GetRequiredService<IOptions<TokenLifetimeOptions>>().Value.RefreshToken.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public void BothNamesOfTheRefreshTokensLife_MayAgree()
    {
        using var provider = Provider(("REFRESH_TOKEN_EXPIRY", "168h"), ("REFRESH_TOKEN_TTL_DAYS", "7"));

        Validate(provider);
    }

    [Theory]
    [InlineData("REDIS_URL", "localhost:6379", "REDIS_URL")]
    [InlineData("REDIS_URL", "http://h", "REDIS_URL")]
    [InlineData("REDIS_PORT", "abc", "REDIS_PORT")]
    [InlineData("REDIS_PORT", "0", "REDIS_PORT")]
    [InlineData("REDIS_DB", "-1", "REDIS_DB")]
    [InlineData("REDIS_DB", "x", "REDIS_DB")]
    [InlineData("REDIS_ENABLED", "maybe", "REDIS_ENABLED")]
    [InlineData("SESSION_TTL", "7d", "SESSION_TTL")]
    [InlineData("SESSION_TTL", "0", "SESSION_TTL")]
    [InlineData("SESSION_TTL", "99999999999", "SESSION_TTL")]
    [InlineData("SESSION_TTL", "1000000000", "SESSION_TTL")]
    [InlineData("REFRESH_TOKEN_TTL_DAYS", "0", "REFRESH_TOKEN_TTL_DAYS")]
    [InlineData("REFRESH_TOKEN_TTL_DAYS", "401", "REFRESH_TOKEN_TTL_DAYS")]
    [InlineData("REFRESH_TOKEN_TTL_DAYS", "2147483647", "REFRESH_TOKEN_TTL_DAYS")]
    [InlineData("REFRESH_TOKEN_TTL_DAYS", "seven", "REFRESH_TOKEN_TTL_DAYS")]
    [InlineData("REFRESH_TOKEN_EXPIRY", "7", "REFRESH_TOKEN_EXPIRY")]
    [InlineData("REFRESH_TOKEN_EXPIRY", "d", "REFRESH_TOKEN_EXPIRY")]
    [InlineData("REFRESH_TOKEN_EXPIRY", "-7d", "REFRESH_TOKEN_EXPIRY")]
    [InlineData("REFRESH_TOKEN_EXPIRY", "7 days", "REFRESH_TOKEN_EXPIRY")]
    [InlineData("RESET_TOKEN_TTL_HOURS", "0", "RESET_TOKEN_TTL_HOURS")]
    [InlineData("RESET_TOKEN_TTL_HOURS", "1.5", "RESET_TOKEN_TTL_HOURS")]
    [InlineData("MFA_TOKEN_TTL_MINUTES", "61", "MFA_TOKEN_TTL_MINUTES")]
    [InlineData("MFA_TOKEN_TTL_MINUTES", "five", "MFA_TOKEN_TTL_MINUTES")]
    [InlineData("Storage:Redis:Port", "abc", "Storage:Redis:Port")]
    [InlineData("Storage:Redis:Deadline", "00:02:00", "Storage:Redis:Deadline")]
    [InlineData("Storage:Redis:KeyPrefix", "a{b", "Storage:Redis:KeyPrefix")]
    [InlineData("Storage:Sessions:SlidingExpiration", "soon", "Storage:Sessions:SlidingExpiration")]
    [InlineData("Storage:Sessions:SlidingExpiration", "00:00:00.5", "Storage:Sessions:SlidingExpiration")]
    [InlineData("Storage:Sessions:AbsoluteExpiration", "00:30:00", "Storage:Sessions:AbsoluteExpiration")]
    [InlineData("Storage:Sessions:RenewalInterval", "1.00:00:00", "Storage:Sessions:RenewalInterval")]
    [InlineData("Storage:Sessions:RotationGrace", "00:00:00", "Storage:Sessions:RotationGrace")]
    [InlineData("Storage:Sessions:MaxSessionsPerUser", "0", "Storage:Sessions:MaxSessionsPerUser")]
    [InlineData("Storage:Sessions:RecordFormat", "3", "Storage:Sessions:RecordFormat")]
    [InlineData("Storage:Tokens:PasswordReset", "00:00:01", "Storage:Tokens:PasswordReset")]
    public void WrongValue_StopsTheStartAndIsNamed(string setting, string value, string named)
    {
        using var provider = Provider((setting, value));

        var failure = Should.Throw<Exception>(() => Validate(provider));

        failure.ToString().ShouldContain(named);
    }

    [Fact]
    public void ContradictingNames_StopTheStart()
    {
        using var provider = Provider(("REFRESH_TOKEN_EXPIRY", "24h"), ("REFRESH_TOKEN_TTL_DAYS", "7"));

        var message = Should.Throw<Exception>(() => Validate(provider)).ToString();

        message.ShouldContain("REFRESH_TOKEN_EXPIRY");
        message.ShouldContain("REFRESH_TOKEN_TTL_DAYS");
    }

    [Fact]
    public async Task Start_FailsAndNamesEveryWrongSettingOfASection()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
            [new("Storage:Redis:Port", "0"), new("Storage:Redis:Deadline", "00:00:00")]);
        builder.Services.AddAuthStorage(builder.Configuration);
        using var host = builder.Build();

        var message = (await Should.ThrowAsync<Exception>(() => host.StartAsync())).ToString();

        message.ShouldContain("Storage:Redis:Port");
        message.ShouldContain("Storage:Redis:Deadline");
    }

    private static void Validate(ServiceProvider provider) => provider.GetRequiredService<IStartupValidator>().Validate();

    private static ServiceProvider Provider(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>(setting.Name, setting.Value)))
            .Build();
        return new ServiceCollection().AddLogging().AddAuthStorage(configuration).BuildServiceProvider();
    }
}
