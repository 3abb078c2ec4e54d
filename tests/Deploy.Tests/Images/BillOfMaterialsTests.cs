using System.Text.Json.Nodes;
using Maintenance.Sbom;

namespace Maintenance.Deploy.Tests.Images;

/// <summary>What the bill of materials makes of a restore.</summary>
public sealed class BillOfMaterialsTests
{
    private const string Assets = """
        {
          "targets": {
            "net10.0": {},
            "net10.0/linux-x64": {
              "Shipped/1.2.3": { "type": "package", "dependencies": { "Other": "1.0.0", "Analyzer": "9.0.0" }, "runtime": { "lib/net10.0/Shipped.dll": {} } },
              "Other/1.0.0": { "type": "package", "native": { "runtimes/linux-x64/native/other.so": {} } },
              "Analyzer/9.0.0": { "type": "package", "build": { "build/Analyzer.props": {} } },
              "Empty/1.0.0": { "type": "package", "runtime": { "lib/net10.0/_._": {} } },
              "Maintenance.Storage/0.1.0": { "type": "project", "runtime": { "bin/placeholder/Maintenance.Storage.dll": {} } }
            }
          },
          "libraries": {
            "Shipped/1.2.3": { "sha512": "AAEC", "path": "shipped/1.2.3" },
            "Other/1.0.0": { "path": "other/1.0.0" },
            "Analyzer/9.0.0": { "path": "analyzer/9.0.0" },
            "Empty/1.0.0": { "path": "empty/1.0.0" },
            "Maintenance.Storage/0.1.0": {}
          },
          "packageFolders": { "/nowhere/": {} },
          "project": {
            "version": "0.1.0",
            "restore": { "projectName": "Maintenance.Worker" },
            "frameworks": { "net10.0": { "downloadDependencies": [ { "name": "Microsoft.NETCore.App.Runtime.linux-x64", "version": "[10.0.1, 10.0.1]" }, { "name": "Microsoft.NETCore.App.Host.linux-x64", "version": "[10.0.1, 10.0.1]" } ] } }
          }
        }
        """;

    [Fact]
    public void Bill_ListsWhatIsShipped_AndNoAnalyzer()
    {
        var bill = BillOfMaterials.From(JsonNode.Parse(Assets)!.AsObject(), "linux-x64");

        bill["components"]!.AsArray().Select(component => (string)component!["bom-ref"]!).ShouldBe(
            ["Maintenance.Storage@0.1.0", "pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@10.0.1", "pkg:nuget/Other@1.0.0", "pkg:nuget/Shipped@1.2.3"]);
        ((string?)bill["components"]![3]!["hashes"]![0]!["content"]).ShouldBe("000102");
        var shipped = bill["dependencies"]!.AsArray().Single(dependency => (string?)dependency!["ref"] == "pkg:nuget/Shipped@1.2.3")!;
        shipped["dependsOn"]!.AsArray().Select(on => (string)on!).ShouldBe(["pkg:nuget/Other@1.0.0"]);
        ((string?)bill["metadata"]!["component"]!["name"]).ShouldBe("Maintenance.Worker");
    }

    [Fact]
    public void Bill_IsTheSame_ForTheSameRestore() => BillOfMaterials.From(JsonNode.Parse(Assets)!.AsObject(), "linux-x64").ToJsonString()
        .ShouldBe(BillOfMaterials.From(JsonNode.Parse(Assets)!.AsObject(), "linux-x64").ToJsonString());

    [Fact]
    public void Bill_OfARuntimeThatWasNotRestored_IsAnErrorThatSaysWhatToDo() =>
        Should.Throw<InvalidDataException>(() => BillOfMaterials.From(JsonNode.Parse(Assets)!.AsObject(), "win-x64")).Message.ShouldContain("-r win-x64");
}
