using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Maintenance.Sbom;

/// <summary>
/// A CycloneDX 1.6 document of what one of our programs ships: its packages with hash and license, our own projects, and the runtime packs of a
/// self-contained publish. The same restore gives the same document, byte for byte: no time, and a serial number made from the content.
/// </summary>
public static class BillOfMaterials
{
    /// <summary>Makes the document.</summary>
    /// <param name="assets">The parsed <c>project.assets.json</c>.</param>
    /// <param name="runtime">Runtime identifier of the publish; empty for the portable target.</param>
    /// <exception cref="InvalidDataException">The restore has no such target.</exception>
    public static JsonObject From(JsonObject assets, string runtime)
    {
        ArgumentNullException.ThrowIfNull(assets);
        ArgumentNullException.ThrowIfNull(runtime);
        var suffix = runtime.Length == 0 ? "" : "/" + runtime;
        var target = assets["targets"]!.AsObject().FirstOrDefault(each => (each.Key.Contains('/', StringComparison.Ordinal) ? "/" + each.Key.Split('/')[1] : "") == suffix).Value?.AsObject()
            ?? throw new InvalidDataException($"it holds no target for '{runtime}'; restore with -r {runtime}");
        var folders = assets["packageFolders"]!.AsObject().Select(each => each.Key).ToList();
        var project = assets["project"]!.AsObject();
        var name = (string)project["restore"]!["projectName"]!;
        var version = (string)project["version"]!;

        var components = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var (id, library) in target)
        {
            if (Component(id, library!.AsObject(), assets["libraries"]![id]!.AsObject(), folders) is { } component)
            {
                components[(string)component["bom-ref"]!] = component;
            }
        }

        foreach (var pack in runtime.Length == 0 ? [] : RuntimePacks(project, runtime))
        {
            components[(string)pack["bom-ref"]!] = pack;
        }

        var root = $"{name}@{version}";
        var document = new JsonObject
        {
            ["bomFormat"] = "CycloneDX",
            ["specVersion"] = "1.6",
            ["version"] = 1,
            ["metadata"] = new JsonObject
            {
                ["component"] = new JsonObject { ["type"] = "application", ["bom-ref"] = root, ["name"] = name, ["version"] = version, ["licenses"] = License("Apache-2.0") },
            },
            ["components"] = new JsonArray([.. components.Values]),
            ["dependencies"] = Dependencies(root, target, components),
        };
        document["serialNumber"] = SerialNumber(document);
        return document;
    }

    // An analyzer, or an empty placeholder, is not shipped.
    private static JsonObject? Component(string id, JsonObject library, JsonObject description, List<string> folders)
    {
        var (name, version) = Split(id);
        if ((string?)library["type"] == "project")
        {
            return new JsonObject { ["type"] = "library", ["bom-ref"] = $"{name}@{version}", ["name"] = name, ["version"] = version, ["licenses"] = License("Apache-2.0") };
        }

        var ships = ((string[])["runtime", "native", "runtimeTargets"])
            .Any(kind => library[kind] is JsonObject files && files.Any(file => !file.Key.EndsWith("/_._", StringComparison.Ordinal)));
        if (!ships)
        {
            return null;
        }

        var purl = Purl(name, version);
        var component = new JsonObject { ["type"] = "library", ["bom-ref"] = purl, ["name"] = name, ["version"] = version, ["purl"] = purl };
        if ((string?)description["sha512"] is { } hash)
        {
            component["hashes"] = new JsonArray(new JsonObject { ["alg"] = "SHA-512", ["content"] = Convert.ToHexStringLower(Convert.FromBase64String(hash)) });
        }

        var nuspec = folders.Select(folder => Path.Combine(folder, (string)description["path"]!, name.ToLowerInvariant() + ".nuspec")).FirstOrDefault(File.Exists);
        if (nuspec is not null && PackageLicense.Read(nuspec) is { } license)
        {
            component["licenses"] = license;
        }

        return component;
    }

    private static IEnumerable<JsonObject> RuntimePacks(JsonObject project, string runtime) =>
        from framework in project["frameworks"]!.AsObject()
        from pack in framework.Value!["downloadDependencies"]?.AsArray() ?? []
        let name = (string)pack!["name"]!
        where name.EndsWith(".Runtime." + runtime, StringComparison.Ordinal)
        // An exact version stands as a range: [10.0.0, 10.0.0].
        let version = ((string)pack!["version"]!).Trim('[', ']', '(', ')').Split(',')[0].Trim()
        select new JsonObject
        {
            ["type"] = "framework",
            ["bom-ref"] = Purl(name, version),
            ["name"] = name,
            ["version"] = version,
            ["purl"] = Purl(name, version),
            ["licenses"] = License("MIT"),
        };

    private static JsonArray Dependencies(string root, JsonObject target, SortedDictionary<string, JsonObject> components)
    {
        var byName = components.Values.ToDictionary(component => (string)component["name"]!, component => (string)component["bom-ref"]!, StringComparer.OrdinalIgnoreCase);
        var dependencies = new JsonArray(new JsonObject { ["ref"] = root, ["dependsOn"] = new JsonArray([.. components.Keys.Select(key => (JsonNode)key)]) });
        foreach (var (id, library) in target)
        {
            if (byName.TryGetValue(Split(id).Name, out var reference))
            {
                var on = (library!["dependencies"]?.AsObject() ?? []).Select(each => byName.GetValueOrDefault(each.Key)).OfType<string>();
                dependencies.Add(new JsonObject { ["ref"] = reference, ["dependsOn"] = new JsonArray([.. on.Select(each => (JsonNode)each)]) });
            }
        }

        return dependencies;
    }

    private static JsonArray License(string expression) => [new JsonObject { ["expression"] = expression }];

    private static (string Name, string Version) Split(string id) => (id.Split('/')[0], id.Split('/')[1]);

    private static string Purl(string name, string version) => $"pkg:nuget/{name}@{version}";

    private static string SerialNumber(JsonObject document)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes(document.ToJsonString()))[..16];
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return $"urn:uuid:{new Guid(bytes, bigEndian: true)}";
    }
}
