using System.Text.RegularExpressions;

namespace Maintenance.Testing.Tests;

/// <summary>docs/security.md speaks the truth: the tests that it names exist, and what is met without a test says why.</summary>
public sealed partial class SecurityChecklistTests
{
    [Fact]
    public void SecurityDocument_NamesTestsThatExist_AndLeavesNoMetLineWithoutATestOrAReason()
    {
        var root = BuiltProgram.RepositoryRoot;
        var sources = string.Join('\n', Directory.EnumerateFiles(Path.Combine(root, "tests"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        var rows = File.ReadLines(Path.Combine(root, "docs", "security.md")).Select(line => Row().Match(line)).Where(match => match.Success).ToList();

        rows.Count.ShouldBeGreaterThan(60);
        rows.Select(row => row.Groups["number"].Value).ShouldBeUnique();
        foreach (var row in rows)
        {
            var (state, test) = (row.Groups["state"].Value, row.Groups["test"].Value);
            if (test.Length > 0)
            {
                Regex.IsMatch(sources, $@"(Task|void) {test}\(").ShouldBeTrue(row.Value);
            }
            else
            {
                // "Met" alone would be a claim.
                state.ShouldNotBe("Met", row.Value);
            }
        }
    }

    [GeneratedRegex(@"^\| (?<number>[23]\.[0-9][^|]*) \| [^|]+ \| (?<state>[^|]+) \|( `(?<test>\w+)`)? \|$")]
    private static partial Regex Row();
}
