using Maintenance.Worker.Alerting;
using Maintenance.Worker.Alerting.Alertmanager;

namespace Maintenance.Worker.Tests.Alerting;

public sealed class AlertmanagerBookTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly LastingAlert Warning = new(Alert.Of("redis_memory", "node", "redis:6379", AlertSeverity.Warning, "80 %", AlertRunbooks.MemoryHigh), Start);

    private readonly AlertmanagerBook book = new(new Dictionary<string, string>(StringComparer.Ordinal) { ["cluster"] = "blue" }, new AlertLinks(new Uri("https://status.example"), new Uri("https://docs.example/runbooks")));

    [Fact]
    public void Firing_EndsByItself_UnlessItIsToldAgain()
    {
        var post = book.Take([Warning], Start, Interval).ShouldHaveSingleItem();

        post.StartsAt.ShouldBe(Start);
        post.EndsAt.ShouldBe(Start.AddMinutes(4));
        post.GeneratorURL.ShouldBe("https://status.example/");
        post.Annotations.ShouldBe(
            new Dictionary<string, string>(StringComparer.Ordinal) { ["summary"] = "80 %", ["runbook_url"] = "https://docs.example/runbooks/memory-high.md" }, ignoreOrder: true);
        post.Labels.ShouldBe(
            new Dictionary<string, string>(StringComparer.Ordinal) { ["cluster"] = "blue", ["node"] = "redis:6379", ["alertname"] = "redis_memory", ["severity"] = "warning" },
            ignoreOrder: true);
        book.Take([Warning], Start.AddMinutes(1), Interval).ShouldHaveSingleItem().EndsAt.ShouldBe(Start.AddMinutes(5));
    }

    [Fact]
    public void End_IsToldForAQuarterOfAnHour()
    {
        book.Take([Warning], Start, Interval);

        book.Take([], Start.AddMinutes(3), Interval).ShouldHaveSingleItem().EndsAt.ShouldBe(Start.AddMinutes(3));
        book.Take([], Start.AddMinutes(17), Interval).ShouldHaveSingleItem().EndsAt.ShouldBe(Start.AddMinutes(3));
        book.Take([], Start.AddMinutes(19), Interval).ShouldBeEmpty();
    }

    [Fact]
    public void Return_EndsTheTellingOfTheEnd()
    {
        book.Take([Warning], Start, Interval);
        book.Take([], Start.AddMinutes(1), Interval);

        book.Take([Warning with { Since = Start.AddMinutes(2) }], Start.AddMinutes(2), Interval).ShouldHaveSingleItem().EndsAt.ShouldBe(Start.AddMinutes(6));
    }

    [Fact]
    public void ChangeOfSeverity_IsAnEndAndABeginning()
    {
        book.Take([Warning], Start, Interval);

        var posts = book.Take([Warning with { Alert = Warning.Alert with { Severity = AlertSeverity.Critical } }], Start.AddMinutes(1), Interval);

        posts.Select(post => (post.Labels["severity"], post.EndsAt)).ShouldBe([("critical", Start.AddMinutes(5)), ("warning", Start.AddMinutes(1))]);
    }
}
