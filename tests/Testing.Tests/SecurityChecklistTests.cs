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
        var lines = File.ReadLines(Path.Combine(root, "docs", "security.md")).Where(line => Number().IsMatch(line)).ToList();
        var rows = lines.Select(line => Row().Match(line)).ToList();

        rows.Count.ShouldBeGreaterThan(60);
        rows.ShouldAllBe(row => row.Success, "four cells: number, requirement, state, tests");
        rows.Select(row => row.Groups["number"].Value).ShouldBeUnique();
        foreach (var row in rows)
        {
            var tests = Name().Matches(row.Groups["tests"].Value).Select(name => name.Groups["name"].Value).ToList();
            // The state may name one beside its reason; there the names of settings stand too.
            tests.AddRange(Name().Matches(row.Groups["state"].Value).Select(name => name.Groups["name"].Value).Where(name => name.Contains('_', StringComparison.Ordinal)));
            foreach (var test in tests)
            {
                Regex.IsMatch(sources, $@"(Task|void) {test}\(").ShouldBeTrue($"{test}: {row.Value}");
            }

            if (tests.Count == 0)
            {
                // "Met" alone would be a claim.
                row.Groups["state"].Value.ShouldNotBe("Met", row.Value);
            }
        }
    }

    [GeneratedRegex(@"^\| [23]\.[0-9]")]
    private static partial Regex Number();

    [GeneratedRegex(@"^\| (?<number>[^|]+) \| [^|]+ \| (?<state>[^|]+) \|(?<tests>( `\w+`,?)*) \|$")]
    private static partial Regex Row();

    [GeneratedRegex(@"`(?<name>\w+)`")]
    private static partial Regex Name();
}
