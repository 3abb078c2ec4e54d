using System.Text.Json;
using System.Text.Json.Nodes;
using Maintenance.Sbom;

// One project's bill of materials: sbom <project.assets.json> <runtime identifier, or '' for the portable target> <output.cdx.json>
if (args.Length != 3)
{
    await Console.Error.WriteLineAsync("Usage: sbom <project.assets.json> <runtime identifier or ''> <output.cdx.json>");
    return 2;
}

try
{
    var assets = JsonNode.Parse(await File.ReadAllTextAsync(args[0]))!.AsObject();
    var bill = BillOfMaterials.From(assets, args[1]);
    await File.WriteAllTextAsync(args[2], bill.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
    return 0;
}
catch (Exception exception) when (exception is IOException or JsonException or InvalidDataException)
{
    await Console.Error.WriteLineAsync($"{args[0]}: {exception.Message}");
    return 1;
}
