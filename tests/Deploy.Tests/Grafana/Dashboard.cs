using System.Text.Json;

namespace Maintenance.Deploy.Tests.Grafana;

/// <summary>One dashboard of deploy/grafana.</summary>
internal sealed class Dashboard
{
    private Dashboard(string file)
    {
        Name = Path.GetFileName(file);
        Root = JsonDocument.Parse(File.ReadAllText(file)).RootElement;
    }

    public static IReadOnlyList<Dashboard> All { get; } =
        [.. Directory.EnumerateFiles(RepositoryFile.PathOf("deploy/grafana"), "*.json").Order(StringComparer.Ordinal).Select(file => new Dashboard(file))];

    public string Name { get; }

    public JsonElement Root { get; }

    public IReadOnlyList<JsonElement> Panels => [.. Root.GetProperty("panels").EnumerateArray().Where(panel => panel.GetProperty("type").GetString() != "row")];

    public IReadOnlyList<string> Variables => [.. Root.GetProperty("templating").GetProperty("list").EnumerateArray().Select(variable => variable.GetProperty("name").GetString()!)];

    public static IEnumerable<string> Queries(JsonElement panel) => panel.GetProperty("targets").EnumerateArray().Select(target => target.GetProperty("expr").GetString()!);
}
