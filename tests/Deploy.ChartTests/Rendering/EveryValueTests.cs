using System.Text.Json.Nodes;

namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>No value of values.yaml is one that nobody has ever set: <c>ci/everything-values.yaml</c> sets what the usual cases leave alone, and each arrives where it belongs.</summary>
public sealed class EveryValueTests
{
    // Values that no file can set, because they exclude what the files are about, and the test that sets them.
    private static readonly Dictionary<string, string> SetByATest = new(StringComparer.Ordinal)
    {
        ["nameOverride"] = nameof(EveryPodTests.NameOverride_NamesTheObjects_AndTheirPods),
        ["networkPolicy.enabled"] = nameof(EveryWorkloadTests.WhatIsSwitchedOff_IsNotThere),
        ["redis.existingSecretKeys.url"] = nameof(WorkerRenderingTests.UrlOfASecret_ReplacesHostAndPassword),
        ["tests.image.digest"] = nameof(EveryWorkloadTests.Digests_WinOverTags),
        ["trialRedis.image.digest"] = nameof(EveryWorkloadTests.Digests_WinOverTags),
        ["trialRedis.image.pullPolicy"] = nameof(EveryWorkloadTests.TrialRedis_IsWhatItsValuesSay),
        ["trialRedis.image.repository"] = nameof(EveryWorkloadTests.TrialRedis_IsWhatItsValuesSay),
        ["trialRedis.image.tag"] = nameof(EveryWorkloadTests.TrialRedis_IsWhatItsValuesSay),
        ["trialRedis.maxMemory"] = nameof(EveryWorkloadTests.TrialRedis_IsWhatItsValuesSay),
        ["trialRedis.resources"] = nameof(EveryWorkloadTests.TrialRedis_IsWhatItsValuesSay),
        ["webHost.migration.enabled"] = nameof(EveryWorkloadTests.WhatIsSwitchedOff_IsNotThere),
        ["webHost.podDisruptionBudget.enabled"] = nameof(EveryWorkloadTests.WhatIsSwitchedOff_IsNotThere),
        ["webHost.serviceAccount.create"] = nameof(EveryPodTests.ServiceAccountsOfSomebodyElse_AreNamed_AndNotMade),
        ["webHost.topologySpread.enabled"] = nameof(EveryWorkloadTests.WhatIsSwitchedOff_IsNotThere),
        ["worker.enabled"] = nameof(WorkerRenderingTests.CronAlone_InstallsNoDeployment_AndSaysWhatIsMissing),
        ["worker.podDisruptionBudget.enabled"] = nameof(EveryWorkloadTests.WhatIsSwitchedOff_IsNotThere),
        ["worker.serviceAccount.create"] = nameof(EveryPodTests.ServiceAccountsOfSomebodyElse_AreNamed_AndNotMade),
        ["worker.topologySpread.enabled"] = nameof(EveryWorkloadTests.WhatIsSwitchedOff_IsNotThere),
    };

    private static readonly List<string> Leaves =
        [.. ValuesFile.Parse(ChartFolder.Read("values.yaml")).SelectMany(entry => entry.Leaves()).Select(leaf => leaf.Path)];

    [Fact]
    public void EachValue_IsSetByACiFile_OrByATestThatIsNamed()
    {
        Leaves.Count.ShouldBeGreaterThan(150);
        var set = ChartFolder.CiFiles().Select(file => YamlJson.Parse(File.ReadAllText(file))).ToList();
        Leaves.Where(leaf => !set.Any(values => IsSet(values, leaf))).Order(StringComparer.Ordinal)
            .ShouldBe(SetByATest.Keys.Order(StringComparer.Ordinal), "set it in ci/everything-values.yaml, or name the test that sets it");
    }

    [Fact]
    public async Task EachValueOfTheFile_ChangesWhatIsRendered()
    {
        var text = ChartFolder.Read("ci", "everything-values.yaml");
        using var folder = new TemporaryFolder();
        var all = await RenderedAsync(folder.Write("all.yaml", text));
        var silent = new List<string>();
        foreach (var leaf in Leaves.Where(leaf => IsSet(YamlJson.Parse(text), leaf)))
        {
            var without = YamlJson.Parse(text);
            Parent(without, leaf)!.Remove(leaf[(leaf.LastIndexOf('.') + 1)..]);
            if (await RenderedAsync(folder.Write($"{leaf}.yaml", without.ToJsonString())) == all)
            {
                silent.Add(leaf);
            }
        }

        silent.ShouldBeEmpty("these say nothing to any template, or say their default");

        // A refusal is an answer too: what is missing then was needed.
        static async Task<string> RenderedAsync(string file)
        {
            try
            {
                return await HelmRender.RunAsync(["-show", "manifests", "-f", file]);
            }
            catch (ChartException exception)
            {
                return exception.Message;
            }
        }
    }

    private static bool IsSet(JsonNode values, string leaf) => Parent(values, leaf)?.ContainsKey(leaf[(leaf.LastIndexOf('.') + 1)..]) == true;

    private static JsonObject? Parent(JsonNode values, string leaf) =>
        leaf.Split('.')[..^1].Aggregate((JsonNode?)values, (node, name) => (node as JsonObject)?[name]) as JsonObject;
}
