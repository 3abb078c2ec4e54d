using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Maintenance.Deploy.Tests.Chart;

/// <summary>Writes values.schema.json from values.yaml and docs/configuration.md. Draft 7 is what every helm 3 reads.</summary>
internal static class SchemaWriter
{
    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, IndentSize = 1, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(IReadOnlyList<ValueEntry> values)
    {
        var schema = Section(values);
        // What a parent chart gives to all its children.
        schema["properties"]!["global"] = new JsonObject { ["type"] = "object" };
        var root = new JsonObject
        {
            ["$schema"] = "http://json-schema.org/draft-07/schema#",
            ["title"] = "Values of the chart maintenance",
            ["$comment"] = "Written from values.yaml and docs/configuration.md: ./dev chart --write",
        };
        foreach (var (key, value) in schema.ToList())
        {
            root[key] = value?.DeepClone();
        }

        root["definitions"] = Definitions();
        return root.ToJsonString(Indented) + "\n";
    }

    private static JsonObject Section(IEnumerable<ValueEntry> entries)
    {
        var properties = new JsonObject();
        foreach (var entry in entries)
        {
            properties[entry.Name] = entry.IsSection ? Section(entry.Children) : Leaf(entry);
        }

        return new JsonObject { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = properties };
    }

    private static JsonObject Leaf(ValueEntry entry)
    {
        var leaf = new JsonObject { ["description"] = entry.Description, ["default"] = entry.Default?.DeepClone() };
        if (entry.Schema is not { } said || !(said.ContainsKey("$ref") || said.ContainsKey("type") || said.ContainsKey("enum")))
        {
            leaf["type"] = entry.Default?.GetValueKind() switch
            {
                JsonValueKind.String => "string",
                JsonValueKind.True or JsonValueKind.False => "boolean",
                JsonValueKind.Number => "integer",
                _ => throw new InvalidOperationException($"values.yaml: {entry.Path} needs '# @schema {{...}}', because its default shows no type."),
            };
        }

        foreach (var (key, value) in entry.Schema ?? [])
        {
            leaf[key] = value?.DeepClone();
        }

        return leaf;
    }

    private static JsonObject Definitions()
    {
        var definitions = YamlJson.Parse("""
            strings: {type: object, additionalProperties: {type: string}}
            texts: {type: array, items: {type: string}}
            object: {type: object}
            objects: {type: array, items: {type: object}}
            references: {type: array, items: {type: object, additionalProperties: false, required: [name], properties: {name: {type: string}}}}
            port: {type: integer, minimum: 1, maximum: 65535}
            unprivilegedPort: {type: integer, minimum: 1024, maximum: 65535}
            digest: {type: string, pattern: '^(sha256:[0-9a-f]{64})?$'}
            pullPolicy: {enum: [Always, IfNotPresent, Never]}
            intOrPercent: {anyOf: [{type: integer, minimum: 0}, {type: string, pattern: '^[0-9]+%$'}]}
            cron: {type: string, pattern: '^[^ ]+( [^ ]+){4}$'}
            runArguments: {type: array, uniqueItems: true, items: {enum: [--dry-run, --full-speed, --json]}}
            prometheusDuration: {type: string, pattern: '^([0-9]+(ms|s|m|h|d))+$'}
            setting:
              anyOf:
                - {type: [string, number, boolean]}
                - {type: array, items: {type: [string, number, boolean]}}
                - {type: object, additionalProperties: {type: [string, number, boolean]}}
            variables:
              type: array
              items:
                type: object
                additionalProperties: false
                required: [name]
                properties:
                  name: {type: string, pattern: '^[A-Za-z_][A-Za-z0-9_.-]*$'}
                  value: {type: string}
                  valueFrom: {type: object}
            ingressHosts:
              type: array
              items:
                type: object
                additionalProperties: false
                required: [host]
                properties:
                  host: {type: string}
                  paths:
                    type: array
                    items:
                      type: object
                      additionalProperties: false
                      required: [path]
                      properties:
                        path: {type: string, pattern: '^/'}
                        pathType: {enum: [Prefix, Exact, ImplementationSpecific]}
            """).AsObject();
        definitions["workerSettings"] = SettingsSchema.Of(SettingsDocument.OfWorker);
        definitions["webHostSettings"] = SettingsSchema.Of(SettingsDocument.OfWebHost);
        return definitions;
    }
}
