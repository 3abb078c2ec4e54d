using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Memory;
using Maintenance.Storage.OAuth;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Tests.OAuth;

public sealed class OAuthStateTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Theory]
    [InlineData("/", true)]
    [InlineData("/a/b?c=//d#e", true)]
    [InlineData("", false)]
    [InlineData("//a", false)]
    [InlineData("/\\a", false)]
    [InlineData("~/a", false)]
    [InlineData("http://a", false)]
    [InlineData("javascript:alert(1)", false)]
    [InlineData("/a\r\nb", false)]
    [InlineData("/caf\u00e9", false)]
    public void IsLocal_AllowsOnlyPathsOfThisHost(string url, bool local) => ReturnUrls.IsLocal(url).ShouldBe(local);

    [Theory]
    [InlineData("/a%20b?c=%C3%A9#d", "/a%20b?c=%C3%A9#d")]
    [InlineData("/caf\u00e9/\U0001F600", "/caf%C3%A9/%F0%9F%98%80")]
    public void ToAscii_EscapesWhatNoHeaderHolds_AndNothingElse(string url, string expected) => ReturnUrls.ToAscii(url).ShouldBe(expected);

    [Fact]
    public void ToAscii_OfHalfACharacter_IsStillFitForAHeader() => ReturnUrls.ToAscii("/half" + (char)0xD83D).ShouldBe("/half%EF%BF%BD");

    [Theory]
    [InlineData("Life", "00:00:01")]
    [InlineData("Life", "2.00:00:00")]
    [InlineData("MaxBytes", "1")]
    [InlineData("HandlerDeadline", "00:00:00")]
    public void Start_NamesAWrongSetting(string setting, string value)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new($"Storage:OAuth:{setting}", value)]).Build();
        using var provider = new ServiceCollection().AddLogging().AddAuthStorage(configuration).BuildServiceProvider();

        Should.Throw<OptionsValidationException>(() => provider.GetRequiredService<IOptions<OAuthStateOptions>>().Value)
            .Message.ShouldContain($"Storage:OAuth:{setting} ");
    }

    [Fact]
    public void AddAuthStorage_RegistersAMeasuredStore()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("REDIS_ENABLED", "false")]).Build();
        using var provider = new ServiceCollection().AddLogging().AddAuthStorage(configuration).BuildServiceProvider();

        provider.GetRequiredService<IOAuthStateStore>().ShouldBeOfType<InstrumentedOAuthStateStore>();
        new OAuthStateDataFormat(provider.GetRequiredService<IOAuthStateStore>(), "GitHub").Protect(new() { RedirectUri = "/" });
        provider.GetRequiredService<MemoryOAuthStateStore>().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Instrumented_CountsRedemptionsByResult()
    {
        using var factory = new TestMeterFactory();
        using var lookups = new MetricCollector<long>(factory, "authstore.lookups");
        using var memory = new MemoryOAuthStateStore(
            new FixedOptions<OAuthStateOptions>(new OAuthStateOptions()), new FixedOptions<MemoryOptions>(new MemoryOptions()), TimeProvider.System);
        var store = new InstrumentedOAuthStateStore(memory, new AuthStoreMetrics(factory), TimeProvider.System);
        var issued = await store.CreateAsync(new NewOAuthState { Provider = "p" }, None);

        await store.RedeemAsync("p", issued.State, issued.BrowserNonce, None);
        await store.RedeemAsync("p", issued.State, issued.BrowserNonce, None);
        await store.RedeemAsync("p", "malformed", issued.BrowserNonce, None);

        foreach (var result in (string[])["hit", "miss", "denied"])
        {
            lookups.Sum(("store", "oauth_states"), ("result", result)).ShouldBe(1);
        }
    }

    [Fact]
    public void DataFormat_StopsWaitingAtItsDeadline()
    {
        var format = new OAuthStateDataFormat(new SilentStore(), "GitHub", TimeSpan.FromMilliseconds(30));

        Should.Throw<StorageUnavailableException>(() => format.Protect(new() { RedirectUri = "/" })).Reason.ShouldBe(UnavailableReason.Deadline);
        Should.Throw<StorageUnavailableException>(() => format.Unprotect("x")).Reason.ShouldBe(UnavailableReason.Deadline);
    }

    private sealed class SilentStore : IOAuthStateStore
    {
        public Task<IssuedOAuthState> CreateAsync(NewOAuthState state, CancellationToken cancellationToken) => new TaskCompletionSource<IssuedOAuthState>().Task;

        public Task<OAuthRedemption> RedeemAsync(string provider, string? state, string? browserNonce, CancellationToken cancellationToken) =>
            new TaskCompletionSource<OAuthRedemption>().Task;
    }
}
