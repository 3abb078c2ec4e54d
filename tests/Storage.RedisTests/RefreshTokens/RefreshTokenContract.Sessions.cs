using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.RedisTests.RefreshTokens;

/// <summary>How families and sessions depend on each other.</summary>
public abstract partial class RefreshTokenContract
{
    [Fact]
    public async Task Family_OutlivesItsSession_WhenThatExpires()
    {
        await using var bed = Bed();
        var userId = AuthBed.NewUserId();
        RefreshIssue? issue = null;
        // A session of a second may have ended before its family is issued, on a machine that stands still; then again with a longer life.
        foreach (var life in new[] { 1, 8, 30 }.Select(seconds => TimeSpan.FromSeconds(seconds)))
        {
            var session = await bed.Sessions.CreateAsync(new NewSession { UserId = userId, SlidingExpiration = life, AbsoluteExpiration = life }, None);
            issue = await bed.Families.IssueAsync(new NewRefreshFamily { UserId = userId, SessionId = session.Token.Id }, None);
            if (issue.Token is not null)
            {
                await bed.PassAsync(life + TimeSpan.FromMilliseconds(1));
                break;
            }
        }

        (await bed.Families.RotateAsync(issue!.Token!.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);

        var renewed = await bed.Sessions.CreateAsync(new NewSession { UserId = userId }, None);
        (await bed.Families.BindSessionAsync(userId, issue.Token.FamilyId, renewed.Token.Id, None)).ShouldBeTrue();
        (await bed.Families.ListAsync(userId, None)).Single().SessionId.ShouldBe(renewed.Token.Id);
    }

    [Fact]
    public async Task BindSession_Refuses_WhenALogOutEverywhereCameBetweenRotationAndTheNewSession()
    {
        await using var bed = Bed();
        var (userId, _, first) = await LogInAsync(bed);
        await bed.Families.RotateAsync(first.Value, None);
        await bed.Sessions.RevokeAllAsync(userId, null, None);
        var revived = await bed.Sessions.CreateAsync(new NewSession { UserId = userId }, None);

        (await bed.Families.BindSessionAsync(userId, first.FamilyId, revived.Token.Id, None)).ShouldBeFalse();
    }

    [Fact]
    public async Task SessionRevoke_EndsItsFamiliesAndNoOthers()
    {
        await using var bed = Bed();
        var (userId, session, first) = await LogInAsync(bed);
        var (_, _, other) = await LogInAsync(bed, userId);

        await bed.Sessions.RevokeAsync(userId, session.Token.Id, None);

        (await bed.Families.RotateAsync(first.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await bed.Families.RotateAsync(other.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
    }

    [Fact]
    public async Task SessionRevoke_EndsItsFamilies_WhenTheIdWasRotated()
    {
        await using var bed = Bed();
        var (userId, session, first) = await LogInAsync(bed);
        await bed.Sessions.RotateAsync(session.Token.Value, new SessionChanges(), None);

        // By the id from before the rotation: a log-out of a page that was loaded earlier.
        await bed.Sessions.RevokeAsync(userId, session.Token.Id, None);

        (await bed.Families.RotateAsync(first.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
    }

    [Fact]
    public async Task SessionRevokeAll_EndsEveryFamily()
    {
        await using var bed = Bed();
        var (userId, _, first) = await LogInAsync(bed);
        var alone = await bed.Families.IssueAsync(new NewRefreshFamily { UserId = userId }, None);

        await bed.Sessions.RevokeAllAsync(userId, null, None);

        (await bed.Families.RotateAsync(first.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await bed.Families.RotateAsync(alone.Token!.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await bed.Families.ListAsync(userId, None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task SessionRevokeAll_KeepsTheFamilyOfTheKeptSession()
    {
        await using var bed = Bed();
        var (userId, session, kept) = await LogInAsync(bed);
        var (_, _, other) = await LogInAsync(bed, userId);

        await bed.Sessions.RevokeAllAsync(userId, session.Token.Id, None);

        (await bed.Families.RotateAsync(kept.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
        (await bed.Families.RotateAsync(other.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await bed.Families.ListAsync(userId, None)).Select(family => family.Id).ShouldBe([kept.FamilyId]);
    }

    [Fact]
    public async Task CarryOver_RevivesNothing_WhenTheKeptSessionHasBeenEndedToo()
    {
        await using var bed = Bed();
        var (userId, session, first) = await LogInAsync(bed);
        await bed.SessionsAlone.RevokeAllAsync(userId, null, None);

        (await bed.Families.CarryOverAsync(userId, session.Token.Id, None)).ShouldBe(1);

        (await bed.Families.RotateAsync(first.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
    }

    [Fact]
    public async Task CarryOver_LeavesAFamilyAlone_WhenItWasIssuedSinceTheLogOut()
    {
        await using var bed = Bed();
        var (userId, _, _) = await LogInAsync(bed);
        await bed.SessionsAlone.RevokeAllAsync(userId, null, None);
        var (_, _, later) = await LogInAsync(bed, userId);

        (await bed.Families.CarryOverAsync(userId, null, None)).ShouldBe(1);

        (await bed.Families.RotateAsync(later.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
    }

    [Fact]
    public async Task SessionRevoke_EndsItsFamiliesInTheSameStep_SoThatNoneIsBornBetweenTwo()
    {
        await using var bed = Bed();
        var (userId, session, first) = await LogInAsync(bed);

        await bed.SessionsAlone.RevokeAsync(userId, session.Token.Id, None);

        (await bed.Families.RotateAsync(first.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
    }

    [Fact]
    public async Task SessionRevoke_LeavesNoFamily_OfTwoHundredThatAreIssuedMeanwhile()
    {
        await using var bed = Bed(("Storage:RefreshTokens:MaxFamiliesPerUser", "1000"));
        var (userId, session, _) = await LogInAsync(bed);

        await AuthBed.AtOnceAsync(201, async i => i == 100
            ? await bed.Sessions.RevokeAsync(userId, session.Token.Id, None)
            : (await bed.Families.IssueAsync(new NewRefreshFamily { UserId = userId, SessionId = session.Token.Id }, None)).IsIssued);

        (await bed.Families.ListAsync(userId, None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task SessionRotate_TakesItsFamiliesAlongInTheSameStep_SoThatALogOutByTheNewIdFindsThem()
    {
        await using var bed = Bed();
        var (userId, session, first) = await LogInAsync(bed);

        var rotated = await bed.SessionsAlone.RotateAsync(session.Token.Value, new SessionChanges(), None);
        (await bed.Families.ListAsync(userId, None)).ShouldHaveSingleItem().SessionId.ShouldBe(rotated.Issued!.Token.Id);
        await bed.SessionsAlone.RevokeAsync(userId, rotated.Issued.Token.Id, None);

        (await bed.Families.RotateAsync(first.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
    }

    [Fact]
    public async Task SessionThatHadToLeaveForTheCap_TakesItsFamiliesWithIt()
    {
        await using var bed = Bed(("Storage:Sessions:MaxSessionsPerUser", "1"));
        var (userId, _, first) = await LogInAsync(bed);

        var (_, _, second) = await LogInAsync(bed, userId);

        (await bed.Families.RotateAsync(first.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await bed.Families.RotateAsync(second.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
    }

    [Fact]
    public async Task Rotate_EndsTheSessionsOtherFamiliesToo_WhenATokenIsReused()
    {
        await using var bed = Bed(("Storage:RefreshTokens:RotationGrace", "00:00:00"));
        var (userId, session, first) = await LogInAsync(bed);
        var other = await bed.Families.IssueAsync(new NewRefreshFamily { UserId = userId, SessionId = session.Token.Id }, None);
        var (_, _, elsewhere) = await LogInAsync(bed, userId);
        await bed.Families.RotateAsync(first.Value, None);

        (await bed.Families.RotateAsync(first.Value, None)).Outcome.ShouldBe(RefreshOutcome.Reused);

        (await bed.Families.RotateAsync(other.Token!.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await bed.Families.RotateAsync(elsewhere.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
    }
}
