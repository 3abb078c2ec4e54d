using Maintenance.Testing;
using YamlDotNet.Serialization;

namespace Maintenance.Deploy.Tests.Prometheus;

/// <summary>deploy/prometheus/rules.yaml as objects.</summary>
internal sealed class RuleFile
{
    public static string Folder { get; } = Path.Combine(BuiltProgram.RepositoryRoot, "deploy", "prometheus");

    [YamlMember(Alias = "groups")]
    public List<RuleGroup> Groups { get; set; } = [];

    public IReadOnlyList<Rule> Alerts => [.. Groups.SelectMany(group => group.Rules).Where(rule => rule.Alert is not null)];

    public IReadOnlyList<Rule> Records => [.. Groups.SelectMany(group => group.Rules).Where(rule => rule.Record is not null)];

    public static RuleFile Load() => Yaml.Read<RuleFile>(Path.Combine(Folder, "rules.yaml"));

    internal sealed class RuleGroup
    {
        [YamlMember(Alias = "name")]
        public string Name { get; set; } = "";

        [YamlMember(Alias = "rules")]
        public List<Rule> Rules { get; set; } = [];
    }

    internal sealed class Rule
    {
        [YamlMember(Alias = "alert")]
        public string? Alert { get; set; }

        [YamlMember(Alias = "record")]
        public string? Record { get; set; }

        [YamlMember(Alias = "expr")]
        public string Expression { get; set; } = "";

        [YamlMember(Alias = "labels")]
        public Dictionary<string, string> Labels { get; set; } = [];

        [YamlMember(Alias = "annotations")]
        public Dictionary<string, string> Annotations { get; set; } = [];

        public string Severity => Labels.GetValueOrDefault("severity", "");

        public string? Runbook => Annotations.TryGetValue("runbook_url", out var url) ? Path.GetFileName(url) : null;
    }
}
