using Maintenance.WebHost.Health;

namespace Maintenance.WebHost.Tests.Health;

public sealed class SessionStatisticsTests
{
    [Fact]
    public void Parse_ReadsTheWorkersRecord() => SessionStatistics.Parse("""
        {"job":"keyspace-stats","outcome":"success","snapshot":{"sessions_active":5,"at":"2026-01-02T03:04:05Z",
         "kinds":{"profile":{"keys":3},"denylist_entry":{"keys":2},"session":{"keys":5}}}}
        """).ShouldBe(new SessionStats(5, 3, 2, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)));

    [Theory]
    [InlineData("""{"job":"keyspace-stats","outcome":"skipped"}""")]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("""{"snapshot":{"sessions_active":"many","kinds":{}}}""")]
    [InlineData("")]
    public void Parse_GivesNothing_WhenTheRecordHasNoFigures(string record) => SessionStatistics.Parse(record).ShouldBeNull();
}
