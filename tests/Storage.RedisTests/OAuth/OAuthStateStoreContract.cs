using Maintenance.Storage.OAuth;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.OAuth;

/// <summary>What every store of OAuth states does.</summary>
public abstract class OAuthStateStoreContract : IAsyncLifetime
{
    protected const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    protected static readonly CancellationToken None = CancellationToken.None;

    private IOAuthStateStore? store;

    protected FixedOptions<OAuthStateOptions> Options { get; } = new(new OAuthStateOptions());

    protected IOAuthStateStore Store => store ?? throw new InvalidOperationException("Not initialized.");

    public Task InitializeAsync()
    {
        store = CreateStore();
        return Task.CompletedTask;
    }

    public abstract Task DisposeAsync();

    protected abstract IOAuthStateStore CreateStore();

    protected static NewOAuthState New() => new() { Provider = "github", CodeVerifier = Verifier, ReturnUrl = "/settings?tab=1" };

    [Fact]
    public async Task Redeem_ReturnsWhatCreateKept_Once()
    {
        var issued = await Store.CreateAsync(New() with { Items = new Dictionary<string, string?> { ["invite"] = "x", ["none"] = null } }, None);

        var first = await Store.RedeemAsync("github", issued.State, issued.BrowserNonce, None);
        var second = await Store.RedeemAsync("github", issued.State, issued.BrowserNonce, None);

        first.Outcome.ShouldBe(OAuthRedemptionOutcome.Redeemed);
        (first.State!.CodeVerifier, first.State.ReturnUrl).ShouldBe((Verifier, "/settings?tab=1"));
        first.State.Items.ShouldBe(new Dictionary<string, string?> { ["invite"] = "x", ["none"] = null }, ignoreOrder: true);
        second.ShouldBe(new OAuthRedemption(OAuthRedemptionOutcome.NotFound));
        (issued.State.Length, issued.BrowserNonce.Length).ShouldBe((43, 43));
        (issued.ToString() + first.State).ShouldNotContain(issued.State);
        (issued.ToString() + first.State).ShouldNotContain(Verifier);
    }

    [Fact]
    public async Task Redeem_HasOneWinner_OfTwoHundredAtOnce()
    {
        var issued = await Store.CreateAsync(New(), None);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 200).Select(
            _ => Task.Run(() => Store.RedeemAsync("github", issued.State, issued.BrowserNonce, None))));

        outcomes.Count(redemption => redemption.Outcome == OAuthRedemptionOutcome.Redeemed).ShouldBe(1);
        outcomes.Count(redemption => redemption.Outcome == OAuthRedemptionOutcome.NotFound).ShouldBe(199);
    }

    [Theory]
    [InlineData("github", null)]
    [InlineData("github", "")]
    [InlineData("github", "handler")]
    [InlineData("github", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("gitlab", "own")]
    [InlineData("GitHub", "own")]
    [InlineData("no\nname", "own")]
    public async Task Redeem_UsesUpAStateThatAnotherBrowserOrProviderShows(string provider, string? nonce)
    {
        var issued = await Store.CreateAsync(New(), None);

        var wrong = await Store.RedeemAsync(provider, issued.State, nonce == "own" ? issued.BrowserNonce : nonce, None);
        var right = await Store.RedeemAsync("github", issued.State, issued.BrowserNonce, None);

        wrong.ShouldBe(new OAuthRedemption(OAuthRedemptionOutcome.Mismatch));
        right.Outcome.ShouldBe(OAuthRedemptionOutcome.NotFound);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task Redeem_CallsWhatItCannotHaveIssuedMalformed(string? state) =>
        (await Store.RedeemAsync("github", state, null, None)).Outcome.ShouldBe(OAuthRedemptionOutcome.Malformed);

    [Fact]
    public async Task Redeem_FindsNothing_WhenTheLifeIsOver()
    {
        // Each attempt uses its state up, so every one takes another of the same age.
        Options.CurrentValue = new OAuthStateOptions { Life = TimeSpan.FromMilliseconds(300) };
        var issued = new Queue<IssuedOAuthState>(await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Store.CreateAsync(New(), None))));

        await Eventually.TrueAsync(async () =>
        {
            var next = issued.Dequeue();
            return (await Store.RedeemAsync("github", next.State, next.BrowserNonce, None)).Outcome == OAuthRedemptionOutcome.NotFound;
        });
    }

    [Fact]
    public async Task Create_LetsTabsShareOneNonceAndReplacesAForeignOne()
    {
        var first = await Store.CreateAsync(New(), None);

        var second = await Store.CreateAsync(New() with { BrowserNonce = first.BrowserNonce }, None);
        var third = await Store.CreateAsync(New() with { BrowserNonce = "chosen by somebody else" }, None);

        second.BrowserNonce.ShouldBe(first.BrowserNonce);
        third.BrowserNonce.Length.ShouldBe(43);
        (await Store.RedeemAsync("github", first.State, first.BrowserNonce, None)).Outcome.ShouldBe(OAuthRedemptionOutcome.Redeemed);
        (await Store.RedeemAsync("github", second.State, first.BrowserNonce, None)).Outcome.ShouldBe(OAuthRedemptionOutcome.Redeemed);
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example/")]
    [InlineData("/\tpath")]
    [InlineData("settings")]
    [InlineData("")]
    public async Task Create_RefusesAReturnUrlThatLeavesTheHost(string url)
    {
        await Should.ThrowAsync<ArgumentException>(() => Store.CreateAsync(New() with { ReturnUrl = url }, None));

        Options.CurrentValue = new OAuthStateOptions { IsReturnUrlAllowed = _ => true };
        (await Store.CreateAsync(New() with { ReturnUrl = url }, None)).State.Length.ShouldBe(43);
    }

    [Fact]
    public async Task Create_RefusesAProviderNameOrASizeOutOfBounds()
    {
        await Should.ThrowAsync<ArgumentException>(() => Store.CreateAsync(New() with { Provider = "" }, None));
        await Should.ThrowAsync<ArgumentException>(() => Store.CreateAsync(New() with { Provider = "a b" }, None));
        await Should.ThrowAsync<ArgumentException>(() => Store.CreateAsync(New() with { CodeVerifier = new string('x', 9000) }, None));
    }

    [Fact]
    public void DataFormat_GivesPropertiesBackOnce_ToTheirSchemeAndPurpose()
    {
        // Longer than a busy machine stands still.
        var deadline = TimeSpan.FromSeconds(30);
        var github = new OAuthStateDataFormat(Store, "GitHub", deadline);
        var properties = new Microsoft.AspNetCore.Authentication.AuthenticationProperties(
            new Dictionary<string, string?> { [".xsrf"] = "n", ["code_verifier"] = Verifier })
        { RedirectUri = "/home" };

        var state = github.Protect(properties);
        github.Unprotect(state)!.Items.ShouldBe(properties.Items, ignoreOrder: true);
        github.Unprotect(state).ShouldBeNull();
        github.Unprotect(null).ShouldBeNull();

        new OAuthStateDataFormat(Store, "GitLab", deadline).Unprotect(github.Protect(properties)).ShouldBeNull();
        github.Unprotect(github.Protect(properties, "a"), "b").ShouldBeNull();
        github.Unprotect(github.Protect(properties, "a"), "a").ShouldNotBeNull();
        Should.Throw<ArgumentException>(() => github.Protect(new() { RedirectUri = "https://evil.example" }));
    }
}
