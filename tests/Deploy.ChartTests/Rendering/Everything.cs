using System.Text.Json.Nodes;

namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>What <c>ci/everything-values.yaml</c> renders, where every value is set that the usual cases leave alone.</summary>
internal static class Everything
{
    public const string Worker = "auth-state-worker";

    public const string WebHost = "auth-state-web-host";

    /// <summary>Renders it, with values above.</summary>
    public static Task<Manifests> RenderAsync(params string[] above) => Chart.RenderAsync([ChartFolder.In("ci", "everything-values.yaml"), .. above]);

    /// <summary>The settings file of a program.</summary>
    public static JsonNode Settings(this Manifests manifests, string name) =>
        JsonNode.Parse(manifests["ConfigMap", name].At("data")!["appsettings.Production.json"]!.ToString())!;
}
