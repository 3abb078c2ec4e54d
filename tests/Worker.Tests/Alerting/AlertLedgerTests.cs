using Maintenance.Worker.Alerting;

namespace Maintenance.Worker.Tests.Alerting;

public sealed class AlertLedgerTests
{
    private const string Source = "redis_health/redis-health";
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Repeat = TimeSpan.FromHours(4);

    private readonly AlertLedger ledger = new();

    [Fact]
    public void Take_TellsOnce_WhileAnAlertLasts()
    {
        Take(0, Warning()).ShouldHaveSingleItem().ShouldBe(new AlertNotice(Warning(), AlertState.Firing, Start, Start, false), NoticeComparer.Instance);

        for (var minute = 1; minute < 240; minute++)
        {
            Take(minute, Warning()).ShouldBeEmpty();
        }
    }

    [Fact]
    public void Take_TellsAgain_AfterTheRepeatInterval()
    {
        Take(0, Warning());

        var notice = Take(240, Warning()).ShouldHaveSingleItem();

        notice.Repeated.ShouldBeTrue();
        notice.Since.ShouldBe(Start);
        Take(241, Warning()).ShouldBeEmpty();
        Take(480, Warning()).ShouldHaveSingleItem();
    }

    [Fact]
    public void Take_TellsTheEndOnce()
    {
        Take(0, Warning());

        var notice = Take(7).ShouldHaveSingleItem();

        notice.State.ShouldBe(AlertState.Resolved);
        notice.Since.ShouldBe(Start);
        notice.At.ShouldBe(Start.AddMinutes(7));
        Take(8).ShouldBeEmpty();
        ledger.Firing.ShouldBeEmpty();
    }

    [Fact]
    public void Take_TellsAtOnce_WhenTheSeverityChanges()
    {
        Take(0, Warning());

        var notice = Take(1, Warning() with { Severity = AlertSeverity.Critical }).ShouldHaveSingleItem();

        notice.Repeated.ShouldBeFalse();
        notice.Since.ShouldBe(Start);
        Take(2, Warning()).ShouldHaveSingleItem();
    }

    [Fact]
    public void Take_KeepsTheNewestText_WithoutTellingIt()
    {
        Take(0, Warning());

        Take(1, Warning() with { Summary = "worse" }).ShouldBeEmpty();

        ledger.Firing.ShouldHaveSingleItem().Summary.ShouldBe("worse");
    }

    [Fact]
    public void Take_KeepsNodesApart()
    {
        Take(0, Warning("a:1"), Warning("b:1")).Count.ShouldBe(2);

        Take(1, Warning("b:1")).ShouldHaveSingleItem().Alert.Labels["node"].ShouldBe("a:1");
    }

    [Fact]
    public void Take_LeavesOtherSourcesAlone()
    {
        Take(0, Warning());

        ledger.Take("redis_memory/memory-alerts", [], Start.AddMinutes(1), Repeat).ShouldBeEmpty();

        ledger.Firing.ShouldHaveSingleItem();
    }

    [Fact]
    public void Take_TellsAnew_WhenAnAlertComesBack()
    {
        Take(0, Warning());
        Take(1);

        Take(2, Warning()).ShouldHaveSingleItem().Since.ShouldBe(Start.AddMinutes(2));
    }

    [Fact]
    public void Identity_DoesNotDependOnTheOrderOfLabels()
    {
        var one = new Alert("x", new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "1", ["b"] = "2" }, AlertSeverity.Warning, "", AlertRunbooks.RedisDown);
        var other = new Alert("x", new Dictionary<string, string>(StringComparer.Ordinal) { ["b"] = "2", ["a"] = "1" }, AlertSeverity.Critical, "y", AlertRunbooks.RedisUnhealthy);

        other.Identity.ShouldBe(one.Identity);
        one.Identity.ShouldBe("""x{a="1",b="2"}""");
    }

    private static Alert Warning(string node = "redis:6379") => Alert.Of("redis_health", "node", node, AlertSeverity.Warning, "slow", AlertRunbooks.ProbeSlow);

    private IReadOnlyList<AlertNotice> Take(int minute, params Alert[] found) => ledger.Take(Source, found, Start.AddMinutes(minute), Repeat);

    private sealed class NoticeComparer : IEqualityComparer<AlertNotice>
    {
        public static readonly NoticeComparer Instance = new();

        public bool Equals(AlertNotice? x, AlertNotice? y) =>
            x?.Alert.Identity == y?.Alert.Identity && x?.State == y?.State && x?.Since == y?.Since && x?.At == y?.At && x?.Repeated == y?.Repeated;

        public int GetHashCode(AlertNotice obj) => obj.Alert.Identity.GetHashCode(StringComparison.Ordinal);
    }
}
