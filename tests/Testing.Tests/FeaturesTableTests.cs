using System.Text.RegularExpressions;

namespace Maintenance.Testing.Tests;

/// <summary>docs/features.md speaks the truth: what it names exists.</summary>
public sealed partial class FeaturesTableTests
{
    [Fact]
    public void Features_NameFoldersAndTestsThatExist()
    {
        var root = BuiltProgram.RepositoryRoot;
        var sources = string.Join('\n', Directory.EnumerateFiles(Path.Combine(root, "tests"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        var rows = File.ReadLines(Path.Combine(root, "docs", "features.md")).Select(line => Row().Match(line)).Where(match => match.Success).ToList();

        rows.Count.ShouldBeGreaterThan(50);
        foreach (var row in rows)
        {
            Directory.Exists(Path.Combine(root, row.Groups["folder"].Value)).ShouldBeTrue(row.Value);
            Regex.IsMatch(sources, $@"(Task|void) {row.Groups["test"].Value}\(").ShouldBeTrue(row.Value);
        }
    }

    [Fact]
    public void Documents_HoldNoPlaceOfText()
    {
        var root = BuiltProgram.RepositoryRoot;
        foreach (var file in Directory.EnumerateFiles(root, "*.md").Concat(Directory.EnumerateFiles(Path.Combine(root, "docs"), "*.md", SearchOption.AllDirectories)))
        {
            File.ReadAllText(file).ShouldNotContain("@@", customMessage: file);
        }
    }

    [GeneratedRegex(@"^\|.+\| `(?<folder>[^`]+)` \| `(?<test>[^`]+)` \|$")]
    private static partial Regex Row();
}
