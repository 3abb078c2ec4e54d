using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.StepUp;

namespace Maintenance.WebHost.Tests.StepUp;

public sealed class RecentAuthenticationTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(9, 9, false, true)]
    [InlineData(11, 11, false, false)]
    [InlineData(60, 9, false, true)]
    [InlineData(9, 9, true, false)]
    [InlineData(60, 9, true, true)]
    [InlineData(60, 11, true, false)]
    public void Proof_IsRecent_ForAWhile_AndNeverByARefreshTokenAlone(int begunMinutesAgo, int provedMinutesAgo, bool refreshed, bool recent)
    {
        var session = new Session
        {
            Id = SessionId.Parse(new string('a', SessionId.Length)),
            UserId = "u",
            CreatedAt = Now.AddMinutes(-begunMinutesAgo),
            LastSeenAt = Now,
            AuthenticatedAt = Now.AddMinutes(-provedMinutesAgo),
            ExpiresAt = Now.AddHours(1),
            AbsoluteExpiresAt = Now.AddHours(1),
            SlidingExpiration = TimeSpan.FromHours(1),
            Generation = 1,
            Claims = refreshed ? new Dictionary<string, string>(StringComparer.Ordinal) { [SessionIssuer.RefreshedClaim] = "1" } : new Dictionary<string, string>(StringComparer.Ordinal),
        };

        RecentAuthentication.IsRecent(session, Now, TimeSpan.FromMinutes(10)).ShouldBe(recent);
    }
}
