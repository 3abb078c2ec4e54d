using System.Text.Json.Nodes;
using Json.Schema;

namespace Maintenance.Deploy.Tests.Chart;

/// <summary>values.yaml is the one source of the chart's README and schema. <c>CHART_WRITE=1</c> (set by <c>./dev chart --write</c>) writes them anew.</summary>
public sealed class ChartDocumentTests
{
    private static readonly bool Write = Environment.GetEnvironmentVariable("CHART_WRITE") == "1";

    private static readonly Lazy<JsonSchema> Schema = new(() => JsonSchema.FromText(ChartFolder.Read("values.schema.json")));

    private static readonly IReadOnlyList<ValueEntry> Values = ValuesFile.Parse(ChartFolder.Read("values.yaml"));

    [Fact]
    public void Schema_IsWhatValuesAndSettingsSay() => IsUpToDate("values.schema.json", _ => SchemaWriter.Write(Values));

    [Fact]
    public void Readme_HasEveryValueWithItsDefaultAndMeaning() => IsUpToDate("README.md", readme => ReadmeWriter.Write(readme, Values));

    [Fact]
    public void Values_AreAllDescribed()
    {
        var described = Values.SelectMany(entry => entry.Leaves()).Select(leaf => leaf.Path).ToList();
        described.Count.ShouldBeGreaterThan(100);
        described.ShouldBeUnique();
        Undescribed(YamlJson.Parse(ChartFolder.Read("values.yaml")).AsObject(), "").ShouldBeEmpty("each needs '# -- text' above it in values.yaml");

        IEnumerable<string> Undescribed(JsonObject map, string prefix) => map
            .Where(child => !described.Contains(prefix + child.Key))
            .SelectMany(child => child.Value is JsonObject { Count: > 0 } inner ? Undescribed(inner, $"{prefix}{child.Key}.") : [prefix + child.Key]);
    }

    [Fact]
    public void Schema_IsStrictAtEveryLevelThatTheChartKnows()
    {
        var schema = JsonNode.Parse(ChartFolder.Read("values.schema.json"))!.AsObject();
        var open = Objects(schema, "$").Where(found => found.Schema["additionalProperties"] is null).Select(found => found.Path).ToList();
        // Kubernetes' own structures, and what a parent chart passes.
        open.ShouldBe(["$.properties.global", "$.definitions.object", "$.definitions.objects.items", "$.definitions.variables.items.properties.valueFrom"]);

        static IEnumerable<(string Path, JsonObject Schema)> Objects(JsonNode? node, string path) => node switch
        {
            JsonObject map => (map["type"] is JsonValue type && type.ToString() == "object" ? [(path, map)] : Array.Empty<(string, JsonObject)>())
                .Concat(map.Where(child => child.Key != "default").SelectMany(child => Objects(child.Value, $"{path}.{child.Key}"))),
            JsonArray list => list.SelectMany((item, index) => Objects(item, $"{path}[{index}]")),
            _ => [],
        };
    }

    [Theory]
    [InlineData("redis: {password: hunter2}", "/redis/password")]
    [InlineData("postgresql: {password: hunter2}", "/postgresql/password")]
    [InlineData("worker: {replicas: two}", "/worker/replicas")]
    [InlineData("worker: {replica: 2}", "/worker/replica")]
    [InlineData("worker: {image: {digest: latest}}", "/worker/image/digest")]
    [InlineData("worker: {settings: {Jobs: {SessionCleanup: {Schedul: '01:00:00'}}}}", "/worker/settings/Jobs/SessionCleanup/Schedul")]
    [InlineData("worker: {settings: {Jobs: {SessionCleanup: {Jitter: soon}}}}", "/worker/settings/Jobs/SessionCleanup/Jitter")]
    [InlineData("worker: {settings: {Storage: {Redis: {Password: hunter2}}}}", "/worker/settings/Storage/Redis/Password")]
    [InlineData("worker: {settings: {Management: {Token: hunter2hunter2hunter2}}}", "/worker/settings/Management/Token")]
    [InlineData("webHost: {settings: {Storage: {Redis: {Url: 'redis://:hunter2@redis'}}}}", "/webHost/settings/Storage/Redis/Url")]
    [InlineData("worker: {cronJobs: {session-clean: {enabled: true}}}", "/worker/cronJobs/session-clean")]
    [InlineData("worker: {cronJobs: {session-cleanup: {schedule: hourly}}}", "/worker/cronJobs/session-cleanup/schedule")]
    [InlineData("redis: {keyPrefix: '{a}'}", "/redis/keyPrefix")]
    [InlineData("monitor: {}", "/monitor")]
    public void Schema_Refuses(string values, string where)
    {
        var evaluation = Schema.Value.Evaluate(YamlJson.Parse(values), new EvaluationOptions { OutputFormat = OutputFormat.List });
        evaluation.IsValid.ShouldBeFalse();
        evaluation.Details.Where(detail => detail.HasErrors).Select(detail => detail.InstanceLocation.ToString()).ShouldContain(where);
    }

    [Fact]
    public void Schema_AcceptsTheDefaults_AndEveryCiFile()
    {
        foreach (var file in ChartFolder.CiFiles().Append(ChartFolder.In("values.yaml")))
        {
            var evaluation = Schema.Value.Evaluate(YamlJson.Parse(File.ReadAllText(file)), new EvaluationOptions { OutputFormat = OutputFormat.List });
            var errors = evaluation.Details.Where(detail => detail.HasErrors)
                .Select(detail => $"{detail.InstanceLocation}: {string.Join(", ", detail.Errors!.Values)}");
            evaluation.IsValid.ShouldBeTrue($"{file}\n{string.Join('\n', errors)}");
        }
    }

    [Fact]
    public void RulesAndDashboards_AreTheSameFilesForChartAndCompose()
    {
        Target("files", "rules.yaml").ShouldBe(Path.Combine(ChartFolder.Root, "..", "..", "prometheus", "rules.yaml"), PathComparer);
        Target("dashboards").ShouldBe(Path.Combine(ChartFolder.Root, "..", "..", "grafana"), PathComparer);

        static string Target(params string[] link) => Directory.ResolveLinkTarget(ChartFolder.In(link), returnFinalTarget: true)!.FullName;
    }

    private static readonly IEqualityComparer<string> PathComparer =
        EqualityComparer<string>.Create((a, b) => Path.GetFullPath(a!) == Path.GetFullPath(b!), path => Path.GetFullPath(path).GetHashCode(StringComparison.Ordinal));

    private static void IsUpToDate(string file, Func<string, string> write)
    {
        var path = ChartFolder.In(file);
        var now = File.Exists(path) ? File.ReadAllText(path) : "";
        var expected = write(now);
        if (Write && now != expected)
        {
            File.WriteAllText(path, expected);
            return;
        }

        (now == expected).ShouldBeTrue(
            $"deploy/helm/maintenance/{file} is not what values.yaml and docs/configuration.md say: run ./dev chart --write. First difference: {FirstDifference(now, expected)}");
    }

    private static string FirstDifference(string now, string expected)
    {
        var pairs = now.Split('\n').Zip(expected.Split('\n')).Select((pair, index) => (pair, Line: index + 1));
        var (pair, line) = pairs.FirstOrDefault(item => item.pair.First != item.pair.Second);
        return line == 0 ? "one is longer" : $"line {line}: '{pair.First}' should be '{pair.Second}'";
    }
}
