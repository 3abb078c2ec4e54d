using System.Diagnostics;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.RedisTests.RefreshTokens;

/// <summary>What every store of refresh tokens does.</summary>
public abstract partial class RefreshTokenContract
{
    protected static readonly CancellationToken None = CancellationToken.None;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(300);

    protected abstract AuthBed Bed(params (string Name, string Value)[] settings);

    [Fact]
    public async Task Rotate_GivesTheNextToken_WhenTheCurrentOneIsSent()
    {
        await using var bed = Bed();
        var (userId, session, first) = await LogInAsync(bed);

        var rotation = await bed.Families.RotateAsync(first.Value, None);

        rotation.Outcome.ShouldBe(RefreshOutcome.Rotated);
        rotation.Token!.Value.ShouldNotBe(first.Value);
        rotation.Family!.UserId.ShouldBe(userId);
        rotation.Family.SessionId.ShouldBe(session.Token.Id);
        rotation.Family.Rotations.ShouldBe(1);
        var again = await bed.Families.RotateAsync(rotation.Token.Value, None);
        again.Outcome.ShouldBe(RefreshOutcome.Rotated);
        again.Family!.Id.ShouldBe(first.FamilyId);
        again.Family.ExpiresAt.ShouldBe(rotation.Family.ExpiresAt);
    }

    [Fact]
    public async Task Rotate_ReplacesTheUnusedSuccessor_WhenTheAnswerWasLost()
    {
        await using var bed = Bed();
        var (_, session, first) = await LogInAsync(bed);
        await bed.Families.RotateAsync(first.Value, None);

        var second = await bed.Families.RotateAsync(first.Value, None);

        second.Outcome.ShouldBe(RefreshOutcome.Replaced);
        (await bed.Families.RotateAsync(second.Token!.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
        (await bed.Sessions.ValidateAsync(session.Token.Value, None)).IsValid.ShouldBeTrue();
    }

    [Fact]
    public async Task Rotate_EndsFamilyAndSession_WhenTheReplacedSuccessorIsSent()
    {
        await using var bed = Bed();
        var (_, session, first) = await LogInAsync(bed);
        var lost = await bed.Families.RotateAsync(first.Value, None);
        var replacement = await bed.Families.RotateAsync(first.Value, None);

        (await bed.Families.RotateAsync(lost.Token!.Value, None)).Outcome.ShouldBe(RefreshOutcome.Reused);

        (await bed.Families.RotateAsync(replacement.Token!.Value, None)).Denial.ShouldBe(TokenDenial.NotFound);
        (await bed.Sessions.ValidateAsync(session.Token.Value, None)).IsValid.ShouldBeFalse();
    }

    [Fact]
    public async Task Rotate_EndsFamilyAndSession_WhenThePreviousTokenComesAfterTheGrace()
    {
        await using var bed = Bed(("Storage:RefreshTokens:RotationGrace", "00:00:00.3"));
        var (userId, session, first) = await LogInAsync(bed);
        var next = await bed.Families.RotateAsync(first.Value, None);
        await bed.PassAsync(Moment);

        var reuse = await bed.Families.RotateAsync(first.Value, None);

        reuse.Outcome.ShouldBe(RefreshOutcome.Reused);
        reuse.Token.ShouldBeNull();
        reuse.Family!.UserId.ShouldBe(userId);
        reuse.Family.SessionId.ShouldBe(session.Token.Id);
        (await bed.Families.RotateAsync(next.Token!.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await bed.Sessions.ValidateAsync(session.Token.Value, None)).IsValid.ShouldBeFalse();
        (await bed.Sessions.CountAsync(userId, None)).ShouldBe(0);
    }

    [Fact]
    public async Task Rotate_DoesNotLengthenTheGrace_WhenThePreviousTokenIsRepeated()
    {
        // A busy machine may stand still for longer than a short grace; then again with a longer one.
        foreach (var grace in (double[])[1, 8, 30])
        {
            await using var bed = Bed(("Storage:RefreshTokens:RotationGrace", $"{TimeSpan.FromSeconds(grace)}"));
            var (_, _, first) = await LogInAsync(bed);
            var started = Stopwatch.GetTimestamp();
            await bed.Families.RotateAsync(first.Value, None);
            await bed.PassAsync(TimeSpan.FromSeconds(grace / 2));
            var repeated = (await bed.Families.RotateAsync(first.Value, None)).Outcome;
            if (repeated == RefreshOutcome.Reused && Stopwatch.GetElapsedTime(started).TotalSeconds >= grace)
            {
                continue;
            }

            repeated.ShouldBe(RefreshOutcome.Replaced);
            await bed.PassAsync(TimeSpan.FromSeconds(grace * 0.6));
            (await bed.Families.RotateAsync(first.Value, None)).Outcome.ShouldBe(RefreshOutcome.Reused);
            return;
        }

        Assert.Fail("The machine stood still each time.");
    }

    [Fact]
    public async Task Rotate_EndsFamilyAndSession_WhenAnOlderTokenIsSentWithinTheGrace()
    {
        await using var bed = Bed();
        var (_, session, first) = await LogInAsync(bed);
        var second = await bed.Families.RotateAsync(first.Value, None);
        await bed.Families.RotateAsync(second.Token!.Value, None);

        (await bed.Families.RotateAsync(first.Value, None)).Outcome.ShouldBe(RefreshOutcome.Reused);

        (await bed.Sessions.ValidateAsync(session.Token.Value, None)).IsValid.ShouldBeFalse();
    }

    [Fact]
    public async Task Rotate_EndsTheSessionUnderItsNewId_WhenItWasRotatedMeanwhile()
    {
        await using var bed = Bed(("Storage:RefreshTokens:RotationGrace", "00:00:00"));
        var (_, session, first) = await LogInAsync(bed);
        var rotated = await bed.Sessions.RotateAsync(session.Token.Value, new SessionChanges(), None);
        await bed.Families.RotateAsync(first.Value, None);

        var reuse = await bed.Families.RotateAsync(first.Value, None);

        reuse.Outcome.ShouldBe(RefreshOutcome.Reused);
        reuse.Family!.SessionId.ShouldBe(rotated.Issued!.Token.Id);
        (await bed.Sessions.ValidateAsync(rotated.Issued.Token.Value, None)).IsValid.ShouldBeFalse();
    }

    [Fact]
    public async Task Rotate_GivesOneUsableToken_WhenTwoHundredComeAtOnce()
    {
        await using var bed = Bed();
        var (_, session, first) = await LogInAsync(bed);

        var rotations = await AuthBed.AtOnceAsync(200, _ => bed.Families.RotateAsync(first.Value, None));

        rotations.Count(rotation => rotation.Outcome == RefreshOutcome.Rotated).ShouldBe(1);
        rotations.Count(rotation => rotation.Outcome == RefreshOutcome.Replaced).ShouldBe(199);
        rotations.Select(rotation => rotation.Token!.Value).Distinct().Count().ShouldBe(200);
        (await bed.Sessions.ValidateAsync(session.Token.Value, None)).IsValid.ShouldBeTrue();
        // Sent at once again: one of them may be used; the first of the others is reuse and ends the family for all after it.
        var second = await AuthBed.AtOnceAsync(200, i => bed.Families.RotateAsync(rotations[i].Token!.Value, None));
        second.Count(rotation => rotation.Outcome == RefreshOutcome.Rotated).ShouldBeLessThanOrEqualTo(1);
        second.Count(rotation => rotation.Outcome == RefreshOutcome.Reused).ShouldBe(1);
        second.Count(rotation => rotation.Outcome == RefreshOutcome.Denied).ShouldBeGreaterThanOrEqualTo(198);
    }

    [Fact]
    public async Task Rotate_LetsExactlyOneThrough_WhenTwoHundredComeAtOnceWithoutGrace()
    {
        await using var bed = Bed(("Storage:RefreshTokens:RotationGrace", "00:00:00"));
        var (_, _, first) = await LogInAsync(bed);

        var rotations = await AuthBed.AtOnceAsync(200, _ => bed.Families.RotateAsync(first.Value, None));

        rotations.Count(rotation => rotation.Outcome == RefreshOutcome.Rotated).ShouldBe(1);
        rotations.Count(rotation => rotation.Outcome == RefreshOutcome.Reused).ShouldBe(1);
        rotations.Count(rotation => rotation.Outcome == RefreshOutcome.Denied).ShouldBe(198);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+")]
    public async Task Rotate_DeniesAsMalformed_WhatCannotBeAToken(string? token)
    {
        await using var bed = Bed();

        (await bed.Families.RotateAsync(token, None)).Denial.ShouldBe(TokenDenial.Malformed);
    }

    [Fact]
    public async Task Rotate_Denies_WhenTheFamilyHasExpired()
    {
        await using var bed = Bed();
        var issue = await bed.Families.IssueAsync(new NewRefreshFamily { UserId = AuthBed.NewUserId(), Life = TimeSpan.FromSeconds(1) }, None);
        await bed.PassAsync(TimeSpan.FromMilliseconds(1001));

        (await bed.Families.RotateAsync(issue.Token!.Value, None)).Denial.ShouldBe(TokenDenial.NotFound);
    }

    [Fact]
    public async Task Issue_TakesItsLifeFromTheOptions()
    {
        await using var bed = Bed(("REFRESH_TOKEN_TTL_DAYS", "3"));

        var issue = await bed.Families.IssueAsync(new NewRefreshFamily { UserId = AuthBed.NewUserId() }, None);

        (issue.Family!.ExpiresAt - issue.Family.CreatedAt).ShouldBe(TimeSpan.FromDays(3));
    }

    [Fact]
    public async Task Issue_Refuses_WhenTheSessionHasBeenEnded()
    {
        await using var bed = Bed();
        var userId = AuthBed.NewUserId();
        var session = await bed.Sessions.CreateAsync(new NewSession { UserId = userId }, None);
        await bed.Sessions.RevokeAllAsync(userId, null, None);

        (await bed.Families.IssueAsync(new NewRefreshFamily { UserId = userId, SessionId = session.Token.Id }, None)).IsIssued.ShouldBeFalse();

        (await bed.Families.ListAsync(userId, None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Issue_LetsTheFamilyThatExpiresFirstLeave_WhenTheCapIsReached()
    {
        await using var bed = Bed(("Storage:RefreshTokens:MaxFamiliesPerUser", "2"));
        var userId = AuthBed.NewUserId();
        var shortest = await bed.Families.IssueAsync(new NewRefreshFamily { UserId = userId, Life = TimeSpan.FromHours(1) }, None);
        var longest = await bed.Families.IssueAsync(new NewRefreshFamily { UserId = userId, Life = TimeSpan.FromHours(3) }, None);

        var third = await bed.Families.IssueAsync(new NewRefreshFamily { UserId = userId, Life = TimeSpan.FromHours(2) }, None);

        third.EvictedFamilies.ShouldBe(1);
        (await bed.Families.RotateAsync(shortest.Token!.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await bed.Families.ListAsync(userId, None)).Select(family => family.Id).ShouldBe([longest.Token!.FamilyId, third.Token!.FamilyId]);
    }

    [Fact]
    public async Task Issue_Throws_WhenTheLifeIsOutOfBounds()
    {
        await using var bed = Bed();

        await Should.ThrowAsync<ArgumentOutOfRangeException>(
            () => bed.Families.IssueAsync(new NewRefreshFamily { UserId = "u", Life = TimeSpan.Zero }, None));
    }

    [Fact]
    public async Task Revoke_EndsOneFamilyAndLeavesItsSession()
    {
        await using var bed = Bed();
        var (userId, session, first) = await LogInAsync(bed);
        var (_, _, other) = await LogInAsync(bed, userId);

        (await bed.Families.RevokeAsync(userId, first.FamilyId, None)).ToBoolean().ShouldBeTrue();
        (await bed.Families.RevokeAsync(userId, first.FamilyId, None)).ToBoolean().ShouldBeFalse();
        (await bed.Families.RevokeAsync(userId, default, None)).ToBoolean().ShouldBeFalse();

        (await bed.Families.RotateAsync(first.Value, None)).Denial.ShouldBe(TokenDenial.NotFound);
        (await bed.Families.RotateAsync(other.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
        (await bed.Sessions.ValidateAsync(session.Token.Value, None)).IsValid.ShouldBeTrue();
    }

    [Fact]
    public async Task RevokeAll_EndsEveryFamilyAndLeavesTheSessions()
    {
        await using var bed = Bed();
        var (userId, session, first) = await LogInAsync(bed);
        await LogInAsync(bed, userId);

        (await bed.Families.RevokeAllAsync(userId, None)).Ended.ShouldBe(2);

        (await bed.Families.RotateAsync(first.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await bed.Sessions.ValidateAsync(session.Token.Value, None)).IsValid.ShouldBeTrue();
    }

    [Fact]
    public async Task Families_OfOneUserAreOutOfAnothersReach()
    {
        await using var bed = Bed();
        var (_, _, first) = await LogInAsync(bed);
        var stranger = AuthBed.NewUserId();

        (await bed.Families.RevokeAsync(stranger, first.FamilyId, None)).ToBoolean().ShouldBeFalse();
        await bed.Families.RevokeAllAsync(stranger, None);
        (await bed.Families.ListAsync(stranger, None)).ShouldBeEmpty();
        var forged = $"{UserReference.Of(stranger).Value}{first.Value[16..]}";
        (await bed.Families.RotateAsync(forged, None)).Denial.ShouldBe(TokenDenial.NotFound);

        (await bed.Families.RotateAsync(first.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
    }

    protected static async Task<(string UserId, IssuedSession Session, RefreshToken Token)> LogInAsync(AuthBed bed, string? userId = null)
    {
        userId ??= AuthBed.NewUserId();
        var session = await bed.Sessions.CreateAsync(new NewSession { UserId = userId }, None);
        var issue = await bed.Families.IssueAsync(new NewRefreshFamily { UserId = userId, SessionId = session.Token.Id }, None);
        return (userId, session, issue.Token!);
    }
}
