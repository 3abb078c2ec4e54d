using System.Net;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Sessions;

public sealed class SessionLifecycleTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Validate_ReturnsWhatCreateStored()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var userId = StoreHarness.NewUserId();
        var issued = await harness.Store.CreateAsync(
            new NewSession
            {
                UserId = userId,
                IpAddress = IPAddress.Parse("192.0.2.7"),
                UserAgent = "Mozilla/5.0",
                DeviceName = "Kitchen",
                Claims = new Dictionary<string, string> { ["role"] = "admin" },
            },
            None);

        var validation = await harness.Store.ValidateAsync(issued.Token.Value, None);

        validation.IsValid.ShouldBeTrue();
        validation.Session.ShouldBe(issued.Session with { Claims = validation.Session!.Claims });
        validation.Session!.Claims.ShouldBe(issued.Session.Claims);
        validation.Session!.UserId.ShouldBe(userId);
    }

    [Fact]
    public async Task RevokeAll_EndsSessionsThatTheIndexHasLost()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var userId = StoreHarness.NewUserId();
        var issued = await harness.Store.CreateAsync(new NewSession { UserId = userId }, None);
        await redis.Server.ExecuteAsync("DEL", harness.Keys.SessionIndex(UserReference.Of(userId)));

        await harness.Store.RevokeAllAsync(userId, null, None);

        (await harness.Store.ValidateAsync(issued.Token.Value, None)).Denial.ShouldBe(SessionDenial.Revoked);
    }

    [Fact]
    public async Task Rotate_GivesANewTokenAndTheOldOneAnswersForTheGrace()
    {
        await using var harness = new StoreHarness(redis.Server.Url, new SessionOptions { RecordFormat = 2, RotationGrace = TimeSpan.FromMinutes(1) });
        await using var brief = new StoreHarness(redis.Server.Url, new SessionOptions { RecordFormat = 2, RotationGrace = TimeSpan.FromMilliseconds(300) });
        var userId = StoreHarness.NewUserId();
        var first = await harness.Store.CreateAsync(new NewSession { UserId = userId, DeviceName = "d" }, None);

        var rotation = await harness.Store.RotateAsync(first.Token.Value, new SessionChanges { Reauthenticated = true }, None);

        rotation.Outcome.ShouldBe(RotationOutcome.Rotated);
        rotation.Issued!.Session.DeviceName.ShouldBe("d");
        (await harness.Store.ValidateAsync(first.Token.Value, None)).Session!.Id.ShouldBe(rotation.Issued.Token.Id);
        (await harness.Store.RotateAsync(first.Token.Value, new SessionChanges(), None)).Outcome.ShouldBe(RotationOutcome.AlreadyRotated);
        var last = (await brief.Store.RotateAsync(rotation.Issued.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        await Eventually.TrueAsync(async () => !(await brief.Store.ValidateAsync(rotation.Issued.Token.Value, None)).IsValid);
        (await harness.Store.ValidateAsync(last.Token.Value, None)).IsValid.ShouldBeTrue();
        (await harness.Store.CountAsync(userId, None)).ShouldBe(1);
    }

    [Fact]
    public async Task RevokeAll_KeepsTheExceptedSession()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var userId = StoreHarness.NewUserId();
        var kept = await harness.Store.CreateAsync(new NewSession { UserId = userId }, None);
        var other = await harness.Store.CreateAsync(new NewSession { UserId = userId }, None);

        var revoked = await harness.Store.RevokeAllAsync(userId, kept.Token.Id, None);

        revoked.ShouldBe(new RevokedSessions(1, true));
        (await harness.Store.ValidateAsync(kept.Token.Value, None)).IsValid.ShouldBeTrue();
        (await harness.Store.ValidateAsync(other.Token.Value, None)).IsValid.ShouldBeFalse();
        (await harness.Store.ListAsync(userId, None)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Reconcile_MendsEachKindOfDrift()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var userId = StoreHarness.NewUserId();
        var user = UserReference.Of(userId);
        var lost = await harness.Store.CreateAsync(new NewSession { UserId = userId }, None);
        var gone = await harness.Store.CreateAsync(new NewSession { UserId = userId }, None);
        var wrong = await harness.Store.CreateAsync(new NewSession { UserId = userId }, None);
        var index = harness.Keys.SessionIndex(user);
        await redis.Server.ExecuteAsync("ZREM", index, lost.Token.Id.Value);
        await redis.Server.ExecuteAsync("DEL", harness.Keys.Session(user, gone.Token.Id));
        await redis.Server.ExecuteAsync("ZADD", index, "1000", wrong.Token.Id.Value);
        SessionSuspect[] suspects =
        [
            new(lost.Token.Id, null),
            new(gone.Token.Id, gone.Session.ExpiresAt.ToUnixTimeMilliseconds()),
            new(wrong.Token.Id, 1000),
        ];
        DriftVerdict[] expected = [DriftVerdict.Missing, DriftVerdict.Dangling, DriftVerdict.WrongExpiry];

        (await harness.Repair.ReconcileAsync(user, suspects, dryRun: true, None)).Verdicts.ShouldBe(expected);
        (await harness.Repair.ReconcileAsync(user, suspects, dryRun: false, None)).Verdicts.ShouldBe(expected);
        (await harness.Repair.ReconcileAsync(user, suspects, dryRun: false, None)).Verdicts.ShouldNotContain(v => expected.Contains(v));
        (await harness.Repair.MendIndexLifeAsync(user, dryRun: false, None)).ShouldBe(IndexLifeVerdict.Right);
        (await harness.Store.CountAsync(userId, None)).ShouldBe(2);
    }
}
