using System.Text.Json.Nodes;

namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>The rendered objects.</summary>
internal sealed class Manifests(IReadOnlyList<JsonNode> objects)
{
    public IReadOnlyList<JsonNode> All => objects;

    /// <summary>The object of that kind and name.</summary>
    public JsonNode this[string kind, string name] => Find(kind, name)
        ?? throw new KeyNotFoundException($"No {kind} {name}; there are: {string.Join(", ", objects.Select(Title))}.");

    public JsonNode? Find(string kind, string name) =>
        objects.SingleOrDefault(item => item.Text("kind") == kind && item.Text("metadata.name") == name);

    public IEnumerable<JsonNode> Of(string kind) => objects.Where(item => item.Text("kind") == kind);

    /// <summary>Every pod there will be, with the title of the object that makes it.</summary>
    public IEnumerable<(string Title, JsonNode Metadata, JsonNode Spec)> Pods()
    {
        foreach (var item in objects)
        {
            var pod = item.Text("kind") switch
            {
                "Pod" => item,
                "Deployment" or "Job" => item.At("spec.template"),
                "CronJob" => item.At("spec.jobTemplate.spec.template"),
                _ => null,
            };
            if (pod is not null)
            {
                yield return (Title(item), pod["metadata"] ?? new JsonObject(), pod["spec"]!);
            }
        }
    }

    public static string Title(JsonNode item) => $"{item.Text("kind")}/{item.Text("metadata.name")}";
}

/// <summary>Short ways into JSON.</summary>
internal static class JsonPath
{
    /// <summary>The node at a path of names and numbers joined by dots, or null. A name with a dot in it needs the indexer.</summary>
    public static JsonNode? At(this JsonNode node, string path) => path.Split('.').Aggregate((JsonNode?)node, (at, step) => at switch
    {
        JsonArray list => int.TryParse(step, out var index) && index < list.Count ? list[index] : null,
        JsonObject map => map[step],
        _ => null,
    });

    /// <summary>The scalar at a path as text, or null.</summary>
    public static string? Text(this JsonNode node, string path) => node.At(path)?.ToString();

    public static IEnumerable<JsonNode> Items(this JsonNode node, string path) => (node.At(path) as JsonArray ?? []).OfType<JsonNode>();

    public static IReadOnlyDictionary<string, string> Strings(this JsonNode node, string path) =>
        (node.At(path) as JsonObject ?? []).ToDictionary(item => item.Key, item => item.Value!.ToString(), StringComparer.Ordinal);
}
