using System.Text.RegularExpressions;
using Maintenance.Deploy.Tests.Prometheus;
using Maintenance.Testing;

namespace Maintenance.Deploy.Tests.Runbooks;

/// <summary>Somebody reads these at night: what they name must exist.</summary>
public sealed partial class RunbooksTests
{
    private static readonly string[] Parts = ["Meaning", "First look", "Repair", "Prevention"];

    private static readonly string[] Programs = ["worker", "redis-cli", "curl", "docker", "kubectl", "df"];

    private static HashSet<string> OfAlerts { get; } = RuleFile.Load().Alerts.Select(alert => alert.Runbook!).ToHashSet(StringComparer.Ordinal);

    [Fact]
    public void EachAlert_HasARunbook_ThatNamesIt_WithItsFourParts()
    {
        foreach (var alert in RuleFile.Load().Alerts)
        {
            var runbook = Runbook.All.SingleOrDefault(each => each.Name == alert.Runbook).ShouldNotBeNull(alert.Alert);
            runbook.Headings.ShouldBe(Parts, runbook.Name);
            runbook.Text.ShouldContain($"`{alert.Alert}`", Case.Sensitive, runbook.Name);
        }
    }

    [Fact]
    public void FirstLook_OfEachAlert_HasACommandAndAQuery()
    {
        foreach (var runbook in Runbook.All.Where(each => OfAlerts.Contains(each.Name)))
        {
            runbook.FirstLook("sh").ShouldNotBeEmpty(runbook.Name);
            runbook.FirstLook("promql").ShouldNotBeEmpty(runbook.Name);
            // What stands there can be typed: a program that exists, not a sentence.
            foreach (var command in runbook.FirstLook("sh"))
            {
                Programs.ShouldContain(command.Split(' ')[0], $"{runbook.Name}: {command}");
            }
        }
    }

    [Fact]
    public void List_NamesEveryRunbook_AndEachAlertBesideItsOwn()
    {
        var list = Runbook.All.Single(each => each.Name == "README.md");
        foreach (var runbook in Runbook.All.Where(each => each != list))
        {
            var title = runbook.Text[2..runbook.Text.IndexOf('\n', StringComparison.Ordinal)];
            list.Text.ShouldContain($"[{title}]({runbook.Name})", Case.Sensitive);
        }

        foreach (var alert in RuleFile.Load().Alerts)
        {
            list.Text.Split('\n').Where(line => line.Contains($"`{alert.Alert}`", StringComparison.Ordinal)).ShouldHaveSingleItem(alert.Alert)
                .ShouldContain($"]({alert.Runbook})", Case.Sensitive);
        }
    }

    [Fact]
    public void Runbooks_NameOnlyMetrics_ThatAreDocumented()
    {
        foreach (var runbook in Runbook.All)
        {
            KnownMetrics.UnknownIn(runbook.Text).ShouldBeEmpty(runbook.Name);
        }
    }

    [Fact]
    public async Task Queries_AreAcceptedByPromtool()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("maintenance-runbooks-").FullName, "rules.yaml");
        var queries = Runbook.All.SelectMany(runbook => runbook.Queries).Distinct(StringComparer.Ordinal).ToList();
        queries.Count.ShouldBeGreaterThan(40);
        await File.WriteAllLinesAsync(file, ["groups:", "- name: runbooks", "  rules:", .. queries.SelectMany((query, i) => new[] { $"  - record: query:{i}", $"    expr: '{query.Replace("'", "''", StringComparison.Ordinal)}'" })]);

        var check = await Promtool.RunAsync(["check", "rules", file]);

        check.ExitCode.ShouldBe(0, check.Output);
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    [Fact]
    public void Runbooks_NameOnlyVerbsAndJobs_ThatTheWorkerHas()
    {
        var verbs = Directory.EnumerateFiles(RepositoryFile.PathOf("src/Worker"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Verb().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups[1].Value)
            .ToHashSet(StringComparer.Ordinal);
        var jobs = Job().Matches(RepositoryFile.Read("src/Worker/Scheduling/JobNames.cs")).Select(match => match.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        var commands = Runbook.All.Where(each => each.Name != "README.md").SelectMany(runbook => runbook.WorkerCommands).ToList();
        commands.Count.ShouldBeGreaterThan(20);
        foreach (var words in commands.Select(command => command.Split(' ')))
        {
            verbs.ShouldContain(words[0]);
            if (words[0] == "run")
            {
                jobs.ShouldContain(words[1]);
            }
        }
    }

    [Fact]
    public void Runbooks_NameOnlySettings_ThatAreDocumented()
    {
        var document = RepositoryFile.Read("docs/configuration.md");
        foreach (var runbook in Runbook.All)
        {
            // A job's common settings stand in the document once, under <Job>.
            var missing = runbook.Settings.Where(setting => !document.Contains($"`{setting}`", StringComparison.Ordinal)
                && !document.Contains($"`{JobName().Replace(setting, "Jobs:<Job>:", 1)}`", StringComparison.Ordinal));
            missing.ShouldBeEmpty(runbook.Name);
        }
    }

    [Fact]
    public void Runbooks_NameOnlyFilesAndTests_ThatExist()
    {
        var sources = string.Join('\n', Directory.EnumerateFiles(RepositoryFile.PathOf("tests"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        foreach (var runbook in Runbook.All)
        {
            runbook.Files.Where(file => !Path.Exists(RepositoryFile.PathOf(file))).ShouldBeEmpty(runbook.Name);
            runbook.Tests.Where(test => !sources.Contains($" {test}(", StringComparison.Ordinal)).ShouldBeEmpty(runbook.Name);
        }
    }

    [GeneratedRegex("new Command\\(\"([a-z]+)\"")]
    private static partial Regex Verb();

    [GeneratedRegex("const string [A-Za-z]+ = \"([a-z-]+)\"")]
    private static partial Regex Job();

    [GeneratedRegex("^Jobs:[A-Za-z]+:")]
    private static partial Regex JobName();
}
