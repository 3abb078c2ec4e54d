using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;
using Maintenance.Storage.TwoFactor;
using Maintenance.Testing;

namespace Maintenance.Storage.OutageTests;

/// <summary>Two hosts, of which one lost Redis: what its journal ends when it is back, and what not.</summary>
public sealed class ReplayTests : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly JournalFolder folder = new();
    private RedisServer redis = null!;
    private OutageHost cut = null!;
    private OutageHost other = null!;

    public async Task InitializeAsync()
    {
        redis = await RedisServer.StartAsync();
        cut = Host("cut");
        other = Host("other");
        await cut.RecoverAsync();
        await other.RecoverAsync();
    }

    public async Task DisposeAsync()
    {
        await cut.DisposeAsync();
        await other.DisposeAsync();
        await redis.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task RevokeAll_EndsWhatWasThere_AndNothingThatBeganLater()
    {
        var (families, tokens, challenges) = (other.Get<IRefreshTokenStore>(), other.Get<IOneTimeTokenStore>(), other.Get<ITwoFactorStore>());
        var old = await AllAsync();
        await CutOffAsync();
        (await cut.Sessions.RevokeAllAsync("ada", null, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);
        await OutageHost.PassAsync();
        var late = await AllAsync();

        await cut.RecoverExactlyAsync(redis);

        (await other.IsValidAsync(old.Session)).ShouldBeFalse();
        (await families.RotateAsync(old.Family.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await tokens.RedeemAsync(OneTimePurpose.MagicLink, old.Link.Token.Value, None)).Token.ShouldBeNull();
        (await challenges.PeekAsync(old.Challenge.Value, None)).ShouldBeNull();
        (await other.IsValidAsync(late.Session)).ShouldBeTrue();
        (await cut.IsValidAsync(late.Session)).ShouldBeTrue();
        (await families.RotateAsync(late.Family.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
        (await tokens.RedeemAsync(OneTimePurpose.MagicLink, late.Link.Token.Value, None)).Token.ShouldNotBeNull();
        (await challenges.PeekAsync(late.Challenge.Value, None)).ShouldNotBeNull();

        async Task<(IssuedSession Session, RefreshToken Family, IssuedOneTimeToken Link, SecretToken Challenge)> AllAsync()
        {
            var session = await other.LogInAsync("ada");
            var family = (await families.IssueAsync(new NewRefreshFamily { UserId = "ada", SessionId = session.Token.Id }, None)).Token.ShouldNotBeNull();
            var link = await tokens.IssueAsync(OneTimePurpose.MagicLink, "ada", null, None);
            var challenge = (await challenges.BeginAsync(new NewTwoFactorChallenge { UserId = "ada", Method = "totp" }, None)).Token.ShouldNotBeNull();
            return (session, family, link, challenge);
        }
    }

    [Fact]
    public async Task RevokeAll_ChangesTheGeneration_SoThatSessionsLostFromTheIndexEndToo()
    {
        var lost = await other.LogInAsync("ada");
        var keys = other.Get<RedisKeys>();
        await redis.ExecuteAsync("DEL", keys.SessionIndex(UserReference.Of("ada")));
        await CutOffAsync();
        await cut.Sessions.RevokeAllAsync("ada", null, None);

        await cut.RecoverAsync();

        (await other.Sessions.ValidateAsync(lost.Token.Value, None)).Denial.ShouldBe(SessionDenial.Revoked);
    }

    [Fact]
    public async Task RevokeAllButOne_KeepsItWithItsFamilies()
    {
        var (kept, ended) = (await other.LogInAsync("ada"), await other.LogInAsync("ada"));
        var families = other.Get<IRefreshTokenStore>();
        var keptFamily = (await families.IssueAsync(new NewRefreshFamily { UserId = "ada", SessionId = kept.Token.Id }, None)).Token.ShouldNotBeNull();
        var endedFamily = (await families.IssueAsync(new NewRefreshFamily { UserId = "ada", SessionId = ended.Token.Id }, None)).Token.ShouldNotBeNull();
        await CutOffAsync();
        (await cut.Sessions.RevokeAllAsync("ada", kept.Token.Id, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);

        await cut.RecoverAsync();

        (await other.IsValidAsync(kept)).ShouldBeTrue();
        (await other.IsValidAsync(ended)).ShouldBeFalse();
        (await families.RotateAsync(keptFamily.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
        (await families.RotateAsync(endedFamily.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
    }

    [Fact]
    public async Task SessionStartedSinceByAnOldRefreshToken_EndsWithIt()
    {
        var families = other.Get<IRefreshTokenStore>();
        var stolen = (await families.IssueAsync(new NewRefreshFamily { UserId = "ada" }, None)).Token.ShouldNotBeNull();
        await CutOffAsync();
        await cut.Sessions.RevokeAllAsync("ada", null, None);
        await OutageHost.PassAsync();
        var derived = await other.LogInAsync("ada");
        (await families.BindSessionAsync("ada", stolen.FamilyId, derived.Token.Id, None)).ShouldBeTrue();

        await cut.RecoverAsync();

        (await other.IsValidAsync(derived)).ShouldBeFalse();
    }

    [Fact]
    public async Task Replay_RepeatsSafely()
    {
        await other.LogInAsync("ada");
        await CutOffAsync();
        await cut.Sessions.RevokeAllAsync("ada", null, None);
        await OutageHost.PassAsync();
        var late = await other.LogInAsync("ada");
        var journal = await File.ReadAllBytesAsync(folder.File("cut"));
        await cut.RecoverExactlyAsync(redis);
        await cut.DisposeAsync();
        (await File.ReadAllBytesAsync(folder.File("cut"))).Length.ShouldBeLessThan(journal.Length);

        // A crash after the script and before the acknowledgement.
        await File.WriteAllBytesAsync(folder.File("cut"), journal);
        var later = await other.LogInAsync("ada");
        cut = Host("cut");
        await cut.RecoverExactlyAsync(redis);

        (await cut.IsValidAsync(late)).ShouldBeTrue();
        (await cut.IsValidAsync(later)).ShouldBeTrue();
        (await other.LogInAsync("ada")).Session.Generation.ShouldBe((await other.Sessions.GetAsync("ada", later.Token.Id, None))!.Generation);
    }

    [Fact]
    public async Task EntryThatCannotBeCarriedOut_Stays_WhileTheRestIs()
    {
        var (ada, ben) = (await other.LogInAsync("ada"), await other.LogInAsync("ben"));
        await CutOffAsync();
        await cut.Pending.AppendAsync(Revoker.Entry(RevocationKind.Session, UserReference.Of("ada"), "no session id"), null, None);
        await cut.Sessions.RevokeAsync("ada", ada.Token.Id, None);
        // A generation of another type is no reason to leave anybody logged in.
        await redis.ExecuteAsync("DEL", cut.Get<RedisKeys>().Generation(UserReference.Of("ben")));
        await redis.ExecuteAsync("LPUSH", cut.Get<RedisKeys>().Generation(UserReference.Of("ben")), "x");
        await cut.Sessions.RevokeAllAsync("ben", null, None);

        await Eventually.TrueAsync(async () =>
        {
            await cut.Watch.PassAsync(None);
            return !cut.Mode.IsRedisAway;
        });

        (await cut.IsValidAsync(ada)).ShouldBeFalse();
        (await cut.IsValidAsync(ben)).ShouldBeFalse();
        (await cut.IsValidAsync(await cut.LogInAsync("ben"))).ShouldBeTrue();
        cut.Pending.Count.ShouldBe(1);
        cut.Log.WithEvent(1504).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task RecordOfANewerFormat_CannotBeEndedAlone_SoTheUserIsLoggedOut()
    {
        var newer = await other.LogInAsync("ada");
        var sibling = await other.LogInAsync("ada");
        var key = other.Get<RedisKeys>().Session(UserReference.Of("ada"), newer.Token.Id);
        await redis.ExecuteAsync("SETRANGE", key, "0", "\u0009");
        await CutOffAsync();
        (await cut.Sessions.RevokeAsync("ada", newer.Token.Id, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);

        await cut.RecoverAsync();

        await redis.ExecuteAsync("SETRANGE", key, "0", "\u0001");
        (await other.IsValidAsync(newer)).ShouldBeFalse();
        (await other.IsValidAsync(sibling)).ShouldBeFalse();
    }

    private OutageHost Host(string name) => new(redis, null, automatic: false, folder.Setting(name), ("Storage:Outage:Sessions", "Memory"));

    // The host alone has lost its way to Redis.
    private async Task CutOffAsync()
    {
        await cut.Get<RedisBreaker>().OpenAsync();
        cut.Mode.SetAway(true, "cut off by the test");
    }
}
