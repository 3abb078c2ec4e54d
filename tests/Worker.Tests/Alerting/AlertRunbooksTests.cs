using System.Text.Json;
using System.Text.RegularExpressions;
using Maintenance.Testing;
using Maintenance.Worker.Alerting;
using Maintenance.Worker.MemoryAlerts;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Tests.Alerting;

/// <summary>Every alert that the worker can raise leads to a runbook that is there and speaks of it.</summary>
public sealed partial class AlertRunbooksTests
{
    private static readonly string Folder = Path.Combine(BuiltProgram.RepositoryRoot, "docs", "runbooks");

    [Fact]
    public void EachAlertOfTheWorker_HasARunbook_ThatNamesIt()
    {
        var alerts = Raised().ToList();

        // Each name that the code gives is among them: a new alert belongs here too.
        var named = Directory.EnumerateFiles(Path.Combine(BuiltProgram.RepositoryRoot, "src", "Worker"), "*.cs", SearchOption.AllDirectories)
            .Select(File.ReadAllText)
            .Where(text => text.Contains("Alert.Of(", StringComparison.Ordinal))
            .SelectMany(text => NamedAlert().Matches(text))
            .Select(match => match.Groups["name"].Value)
            .ToHashSet(StringComparer.Ordinal);
        alerts.Select(alert => alert.Name).ToHashSet(StringComparer.Ordinal).ShouldBe(named, ignoreOrder: true);
        foreach (var alert in alerts)
        {
            Runbook(alert.Runbook).ShouldContain($"`{alert.Name}`", Case.Sensitive, alert.Runbook);
        }
    }

    [Fact]
    public void EachReasonOfANode_HasARunbook_ThatNamesIt()
    {
        Codes.Count.ShouldBeGreaterThan(20);
        foreach (var code in Codes)
        {
            Runbook(HealthRunbooks.Of(code)).ShouldContain($"`{code}`", Case.Sensitive, HealthRunbooks.Of(code));
        }
    }

    [Fact]
    public void AlertOfSeveralReasons_LeadsToTheRunbookOfTheMostUrgent() =>
        new RedisHealthAlerts().Evaluate(Health(
            new HealthReason(HealthReasons.SlowPing, HealthStatus.Degraded, "slow", "there"),
            new HealthReason(HealthReasons.OutOfMemory, HealthStatus.Unhealthy, "full", "there"),
            new HealthReason(HealthReasons.Loading, HealthStatus.Unhealthy, "loads", "there")))!.ShouldHaveSingleItem().Runbook.ShouldBe(AlertRunbooks.MemoryHigh);

    [Fact]
    public void Links_BeginWhereTheRulesOfPrometheusBeginTheirs()
    {
        var links = new AlertingOptions().Links;

        links.Page.ShouldBeNull();
        File.ReadAllText(Path.Combine(BuiltProgram.RepositoryRoot, "deploy", "prometheus", "rules.yaml"))
            .ShouldContain($"or $externalLabels.runbooks \"{links.Runbooks!.AbsoluteUri}\" }}}}/job-failing.md");
        links.Runbook(Alert.Of("job_failed", "task", "x", AlertSeverity.Warning, "", AlertRunbooks.JobFailing))
            .ShouldBe("https://example.com/maintenance/docs/runbooks/job-failing.md");
        new AlertingOptions { RunbooksUrl = "" }.Links.Runbooks.ShouldBeNull();
    }

    [Theory]
    [InlineData("https://docs.example.org/runbooks/", "https://docs.example.org/runbooks/job-failing.md")]
    [InlineData(AlertLinks.PlaceholderRunbooks, null)]
    [InlineData(AlertLinks.PlaceholderRunbooks + "/", null)]
    [InlineData("", null)]
    public void PageAndLog_LinkToARunbook_OnlyWhereItLeadsSomewhere(string configured, string? expected)
    {
        var alert = Alert.Of("job_failed", "task", "x", AlertSeverity.Warning, "", AlertRunbooks.JobFailing);

        new AlertingOptions { RunbooksUrl = configured }.Links.RealRunbook(alert).ShouldBe(expected);

        File.Exists(Path.Combine(BuiltProgram.RepositoryRoot, AlertLinks.RunbookFile(alert))).ShouldBeTrue();
    }

    private static IReadOnlyList<string> Codes { get; } = [.. typeof(HealthReasons).GetFields().Select(field => (string)field.GetRawConstantValue()!)];

    private static IEnumerable<Alert> Raised()
    {
        var failed = new JobFailedRule();
        var memory = new MemoryAlertsSnapshot { Nodes = [new NodeMemory { Node = "r:1", Warning = true }] };
        return
        [
            .. failed.Evaluate(Result(JobNames.SessionCleanup, JobOutcome.Failed))!,
            .. failed.Evaluate(Result(JobNames.SessionCleanup, JobOutcome.Failed) with { Braked = true })!,
            .. new DriftRule(new Fixed(new AlertingOptions { DriftAbove = 0 })).Evaluate(
                Result(JobNames.IndexReconciliation, JobOutcome.Success) with { Counts = new Dictionary<string, long>(StringComparer.Ordinal) { ["drift_missing"] = 1 } })!,
            .. new MemoryAlertRule().Evaluate(Result(JobNames.MemoryAlerts, JobOutcome.Success) with { Snapshot = JsonSerializer.SerializeToElement(memory, JobResultJson.Options) })!,
            .. Codes.SelectMany(code => new RedisHealthAlerts().Evaluate(Health(new HealthReason(code, HealthStatus.Degraded, "so", "there")))!),
        ];
    }

    private static JobResult Health(params HealthReason[] reasons) => Result(JobNames.RedisHealth, JobOutcome.Success) with
    {
        Snapshot = JsonSerializer.SerializeToElement(
            new RedisHealthSnapshot { Status = HealthStatus.Degraded, Nodes = [new NodeHealth { Node = "r:1", Status = HealthStatus.Degraded, Reasons = reasons }] }, JobResultJson.Options),
    };

    private static JobResult Result(string job, JobOutcome outcome) => new()
    {
        Job = job,
        RunId = "run",
        Replica = "a",
        Started = DateTimeOffset.UnixEpoch,
        Due = DateTimeOffset.UnixEpoch,
        DurationSeconds = 0,
        Outcome = outcome,
    };

    private static string Runbook(string name)
    {
        var file = Path.Combine(Folder, $"{name}.md");
        File.Exists(file).ShouldBeTrue(file);
        return File.ReadAllText(file);
    }

    private sealed class Fixed(AlertingOptions value) : IOptionsMonitor<AlertingOptions>
    {
        public AlertingOptions CurrentValue => value;

        public AlertingOptions Get(string? name) => value;

        public IDisposable? OnChange(Action<AlertingOptions, string?> listener) => null;
    }

    [GeneratedRegex("(?:Alert\\.Of\\(|string Name => )\"(?<name>[a-z_]+)\"")]
    private static partial Regex NamedAlert();
}
