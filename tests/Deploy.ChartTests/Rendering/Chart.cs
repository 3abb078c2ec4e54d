using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Json.Schema;

namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>What `helm install` would be told beside the values.</summary>
internal sealed record ReleaseOptions
{
    public string Name { get; init; } = "maintenance";

    public string Namespace { get; init; } = "default";

    public string KubeVersion { get; init; } = "v1.31.0";

    public bool Upgrade { get; init; }

    /// <summary>Another number renders anew what was rendered before.</summary>
    public int Turn { get; init; }

    /// <summary>What `lookup` finds in the cluster.</summary>
    public JsonArray? Cluster { get; init; }
}

/// <summary>Installs the chart as helm would: defaults under the values, the schema, then the templates.</summary>
internal static class Chart
{
    private static readonly ConcurrentDictionary<string, Lazy<Task<string>>> Rendered = new(StringComparer.Ordinal);

    private static readonly Lazy<JsonSchema> Schema = new(() => JsonSchema.FromText(ChartFolder.Read("values.schema.json")));

    /// <summary>The least that a chart needs to render.</summary>
    public const string LeastValues = "redis: {host: redis}\npostgresql: {host: postgresql, existingSecret: postgresql}\nwebHost: {mail: {host: smtp, from: no-reply@example.org, publicUrl: 'https://auth.example.org'}}\n";

    /// <summary>Renders the chart with values given as YAML texts or paths of files; the last one wins.</summary>
    /// <exception cref="ChartException">The schema or a template refused; the message says what.</exception>
    public static async Task<Manifests> RenderAsync(IEnumerable<string> values, ReleaseOptions? options = null) =>
        new(YamlJson.ParseAll(await RunAsync(values, options, "manifests")));

    /// <summary>The same for one text or file.</summary>
    public static Task<Manifests> RenderAsync(string values, ReleaseOptions? options = null) => RenderAsync([values], options);

    /// <summary>What is printed after an install.</summary>
    public static Task<string> NotesAsync(string values) => RunAsync([values], null, "notes");

    // Many tests look at the same few files; the text is kept, each test gets objects of its own.
    private static Task<string> RunAsync(IEnumerable<string> values, ReleaseOptions? options, string show)
    {
        var (given, release) = (values.ToList(), options ?? new ReleaseOptions());
        return Rendered.GetOrAdd(
            $"{show}\n{release with { Cluster = null }}\n{release.Cluster?.ToJsonString()}\n{string.Join("\n---\n", given)}", _ => new Lazy<Task<string>>(() => RenderAsync(given, release, show))).Value;
    }

    private static async Task<string> RenderAsync(List<string> values, ReleaseOptions options, string show)
    {
        using var folder = new TemporaryFolder();
        List<string> arguments = ["-release", options.Name, "-namespace", options.Namespace, "-kube-version", options.KubeVersion];
        foreach (var (index, text) in values.Index())
        {
            var file = text.Contains('\n', StringComparison.Ordinal) || text.Contains(": ", StringComparison.Ordinal) ? folder.Write($"{index}.yaml", text) : text;
            arguments.AddRange(["-f", file]);
        }

        if (options.Upgrade)
        {
            arguments.Add("-upgrade");
        }

        if (options.Cluster is { } cluster)
        {
            arguments.AddRange(["-objects", folder.Write("cluster.json", cluster.ToJsonString())]);
        }

        Validate(JsonNode.Parse(await HelmRender.RunAsync([.. arguments, "-show", "values"])));
        return await HelmRender.RunAsync([.. arguments, "-show", show]);
    }

    private static void Validate(JsonNode? merged)
    {
        var evaluation = Schema.Value.Evaluate(merged, new EvaluationOptions { OutputFormat = OutputFormat.List });
        if (!evaluation.IsValid)
        {
            throw new ChartException(string.Join('\n', evaluation.Details.Where(detail => detail.HasErrors)
                .Select(detail => $"{detail.InstanceLocation}: {string.Join(", ", detail.Errors!.Values)}")));
        }
    }
}
