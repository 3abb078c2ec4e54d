using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace Maintenance.Sbom;

/// <summary>What a package says of its license.</summary>
internal static class PackageLicense
{
    /// <summary>The license expression, or where the license stands; null if the package says neither.</summary>
    public static JsonArray? Read(string nuspec)
    {
        var metadata = XDocument.Load(nuspec).Root!.Elements().First(element => element.Name.LocalName == "metadata");
        var license = metadata.Elements().FirstOrDefault(element => element.Name.LocalName == "license");
        if (license is not null && (string?)license.Attribute("type") == "expression")
        {
            return [new JsonObject { ["expression"] = license.Value }];
        }

        var url = metadata.Elements().FirstOrDefault(element => element.Name.LocalName == "licenseUrl")?.Value;
        return url is null ? null : [new JsonObject { ["license"] = new JsonObject { ["name"] = license?.Value ?? "see url", ["url"] = url } }];
    }
}
