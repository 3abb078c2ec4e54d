using Maintenance.Testing;

namespace Maintenance.Deploy.Tests.Prometheus;

/// <summary>The alerts and recording rules, by promtool and by their own completeness.</summary>
public sealed class RulesTests
{
    private static readonly string[] Severities = ["warning", "critical"];

    [Fact]
    public async Task Rules_PassPromtoolsCheck()
    {
        var check = await Promtool.RunAsync(["check", "rules", "--lint=all", "--lint-fatal", Path.Combine(RuleFile.Folder, "rules.yaml")]);
        check.ExitCode.ShouldBe(0, check.Output);
    }

    [Theory]
    [InlineData("rules_test.yaml")]
    [InlineData("rules_rare_test.yaml")]
    public async Task Rules_FireAndKeepSilent_AsTheirUnitTestsSay(string file)
    {
        var test = await Promtool.RunAsync(["test", "rules", Path.Combine(RuleFile.Folder, file)]);
        test.ExitCode.ShouldBe(0, test.Output);
    }

    /// <summary>promtool's own order is another one in each run: an alert is then evaluated before the records that it reads in one run of eight.</summary>
    [Theory]
    [InlineData("rules_test.yaml")]
    [InlineData("rules_rare_test.yaml")]
    public void EachFileOfTests_NamesEveryGroup_InTheOrderOfTheRules(string file) =>
        RuleTestFile.Load(file).Order.ShouldBe(RuleFile.Load().Groups.Select(group => group.Name));

    [Fact]
    public void EachRule_HasFiringSilentAndAbsentCases() => RuleTestFile.Load().Gaps(RuleFile.Load()).ShouldBeEmpty();

    [Fact]
    public void Gaps_AreSeen_WhenARuleHasNoCases()
    {
        var rules = RuleFile.Load();
        var cases = RuleTestFile.Load();
        cases.Cases.ForEach(each => each.Alerts.RemoveAll(check => check.Alert == "MaintenanceRedisDown"));
        rules.Groups[0].Rules.Add(new RuleFile.Rule { Record = "a:new:one" });

        cases.Gaps(rules).ShouldBe(
        [
            "MaintenanceRedisDown (critical) has no firing case", "MaintenanceRedisDown has no silent case",
            "MaintenanceRedisDown has no absent case", "a:new:one has no value",
        ]);
    }

    [Fact]
    public void EachAlert_SaysWhatItIs_HowBadItIs_AndWhatToDo()
    {
        var alerts = RuleFile.Load().Alerts;
        alerts.Count.ShouldBeGreaterThan(20);
        foreach (var alert in alerts)
        {
            Severities.ShouldContain(alert.Severity, alert.Alert);
            alert.Annotations.GetValueOrDefault("summary").ShouldNotBeNullOrWhiteSpace(alert.Alert);
            alert.Annotations.GetValueOrDefault("description").ShouldNotBeNullOrWhiteSpace(alert.Alert);
            alert.Annotations.GetValueOrDefault("runbook_url").ShouldNotBeNull(alert.Alert).ShouldStartWith(
                "{{ or $externalLabels.runbooks \"https://example.com/maintenance/docs/runbooks\" }}/", Case.Sensitive, alert.Alert);
        }
    }

    [Fact]
    public void Expressions_UseOnlyMetricsThatAreDocumented()
    {
        var rules = RuleFile.Load();
        foreach (var rule in rules.Alerts.Concat(rules.Records))
        {
            KnownMetrics.UnknownIn(rule.Expression).ShouldBeEmpty(rule.Alert ?? rule.Record);
        }
    }

    [Fact]
    public void AMetricThatIsNotDocumented_IsSeen() => KnownMetrics
        .UnknownIn("rate(maintenance_redis_up_total[5m]) / maintenance_redis_up_count + maintenance_redis_probe_duration_seconds_count + maintenance:no:record")
        .ShouldBe(["maintenance_redis_up_total", "maintenance_redis_up_count", "maintenance:no:record"]);
}
