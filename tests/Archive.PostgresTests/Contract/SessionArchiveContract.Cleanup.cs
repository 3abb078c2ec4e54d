using System.Net;

namespace Maintenance.Archive.PostgresTests.Contract;

/// <content>What is deleted and forgotten when its time is over.</content>
public abstract partial class SessionArchiveContract
{
    [Fact]
    public async Task DeleteExpired_TakesWhatIsOver_InBatches_AndNothingElse()
    {
        var live = await AddedAsync(1000);
        foreach (var _ in Enumerable.Range(0, 5))
        {
            await Archive.AddAsync(NewSession(1000) with { ExpiresAt = Now().AddHours(-2), AbsoluteExpiresAt = Now().AddHours(-2) }, [], None);
        }

        var remembered = await AddedAsync(1000);
        await Archive.RevokeAsync(User, remembered.Id, Keep, None);

        (await Archive.CountExpiredAsync(None)).ShouldBeGreaterThanOrEqualTo(5);
        (await Archive.DeleteExpiredAsync(2, None)).ShouldBe(2);
        while (await Archive.DeleteExpiredAsync(100, None) > 0)
        {
        }

        (await Archive.CountExpiredAsync(None)).ShouldBe(0);
        (await Archive.FindAsync(User, live.Id, None)).ShouldNotBeNull();
        (await Archive.AddAsync(remembered, [], None)).ShouldBeFalse("the end of a session is remembered as long as it could have lived");
        (await Archive.GetGenerationAsync(User, None)).ShouldBe(1000);
    }

    [Fact]
    public async Task Forget_TakesAddressAndUserAgentOut_OnceTheirTimeIsOver_AndLeavesTheRest()
    {
        var old = NewSession(1000) with { IpAddress = IPAddress.Loopback, UserAgent = "Browser", DeviceName = "Phone" };
        var fresh = old with { Id = NewId(), CreatedAt = Now() };
        await Archive.AddAsync(old, [], None);
        await Archive.AddAsync(fresh, [], None);
        await Archive.AddAsync(NewSession(1000), [], None);
        var life = TimeSpan.FromMinutes(1);

        (await Archive.CountForgettableAsync(life, None)).ShouldBe(1);
        (await Archive.ForgetAsync(life, 100, None)).ShouldBe(1);

        var stripped = (await Archive.FindAsync(User, old.Id, None)).ShouldNotBeNull();
        stripped.ShouldBe(old with { IpAddress = null, UserAgent = null, Claims = stripped.Claims });
        (await Archive.FindAsync(User, fresh.Id, None)).ShouldNotBeNull().UserAgent.ShouldBe("Browser");
        (await Archive.CountForgettableAsync(life, None)).ShouldBe(0);
        (await Archive.ForgetAsync(life, 100, None)).ShouldBe(0);
    }
}
