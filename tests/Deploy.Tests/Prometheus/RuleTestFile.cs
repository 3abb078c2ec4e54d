using YamlDotNet.Serialization;

namespace Maintenance.Deploy.Tests.Prometheus;

/// <summary>A file of the rules' unit tests as objects: what promtool runs.</summary>
internal sealed class RuleTestFile
{
    [YamlMember(Alias = "group_eval_order")]
    public List<string> Order { get; set; } = [];

    [YamlMember(Alias = "tests")]
    public List<Case> Cases { get; set; } = [];

    public static RuleTestFile Load(string file = "rules_test.yaml") => Yaml.Read<RuleTestFile>(Path.Combine(RuleFile.Folder, file));

    /// <summary>What the file lacks: a firing case an alert and severity, a silent and an absent one an alert, a value a recording rule.</summary>
    public IReadOnlyList<string> Gaps(RuleFile rules)
    {
        var gaps = new List<string>();
        foreach (var rule in rules.Alerts)
        {
            var fires = Of(rule, "firing").Any(each => each.Expected.Any(alert => alert.Labels.GetValueOrDefault("severity") == rule.Severity));
            if (!fires)
            {
                gaps.Add($"{rule.Alert} ({rule.Severity}) has no firing case");
            }

            if (!Of(rule, "silent").Any(each => each.Expected.Count == 0))
            {
                gaps.Add($"{rule.Alert} has no silent case");
            }

            // An alert about absence is the one that must speak when the metric is not there.
            var speaks = rule.Expression.StartsWith("absent(", StringComparison.Ordinal);
            if (!Of(rule, "absent").Any(each => (each.Expected.Count > 0) == speaks))
            {
                gaps.Add($"{rule.Alert} has no absent case");
            }
        }

        var queried = Cases.SelectMany(each => each.Queries).Where(query => query.Samples.Count > 0).Select(query => query.Expression).ToHashSet(StringComparer.Ordinal);
        gaps.AddRange(rules.Records.Where(rule => !queried.Contains(rule.Record!)).Select(rule => $"{rule.Record} has no value"));
        return gaps;
    }

    private IEnumerable<AlertCheck> Of(RuleFile.Rule rule, string kind) => Cases
        .Where(each => each.Name == $"{rule.Alert}: {kind}" || (kind == "absent" && each.Name.EndsWith(": absent", StringComparison.Ordinal)))
        .SelectMany(each => each.Alerts)
        .Where(check => check.Alert == rule.Alert);

    internal sealed class Case
    {
        [YamlMember(Alias = "name")]
        public string Name { get; set; } = "";

        [YamlMember(Alias = "alert_rule_test")]
        public List<AlertCheck> Alerts { get; set; } = [];

        [YamlMember(Alias = "promql_expr_test")]
        public List<QueryCheck> Queries { get; set; } = [];
    }

    internal sealed class AlertCheck
    {
        [YamlMember(Alias = "alertname")]
        public string Alert { get; set; } = "";

        [YamlMember(Alias = "exp_alerts")]
        public List<ExpectedAlert> Expected { get; set; } = [];
    }

    internal sealed class ExpectedAlert
    {
        [YamlMember(Alias = "exp_labels")]
        public Dictionary<string, string> Labels { get; set; } = [];
    }

    internal sealed class QueryCheck
    {
        [YamlMember(Alias = "expr")]
        public string Expression { get; set; } = "";

        [YamlMember(Alias = "exp_samples")]
        public List<object> Samples { get; set; } = [];
    }
}
