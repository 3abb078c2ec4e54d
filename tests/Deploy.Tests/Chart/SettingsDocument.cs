using System.Text.RegularExpressions;
using Maintenance.Testing;

namespace Maintenance.Deploy.Tests.Chart;

/// <summary>A setting as docs/configuration.md has it. Another test compares that document with the options in the code.</summary>
internal sealed record DocumentedSetting(string Key, string Default, string Meaning);

/// <summary>The settings of docs/configuration.md, by who reads them.</summary>
internal static partial class SettingsDocument
{
    public static IReadOnlyList<DocumentedSetting> OfWorker { get; } = [.. Under("Worker"), .. Under("Storage"), .. Under("Archive")];

    public static IReadOnlyList<DocumentedSetting> OfWebHost { get; } = [.. Under("Web host"), .. Under("Storage"), .. Under("Archive"), .. Under("ASP.NET Core")];

    /// <summary>The rows below each heading that begins so; a job's settings once for each job.</summary>
    private static IEnumerable<DocumentedSetting> Under(string heading)
    {
        var lines = File.ReadLines(Path.Combine(BuiltProgram.RepositoryRoot, "docs", "configuration.md"));
        var within = false;
        var section = lines.Where(line =>
        {
            within = line.StartsWith("## ", StringComparison.Ordinal) ? line.StartsWith($"## {heading}", StringComparison.Ordinal) : within;
            return within;
        }).ToList();
        var jobs = section.FirstOrDefault(line => line.StartsWith("`<Job>` is ", StringComparison.Ordinal)) is { } sentence
            ? Quoted().Matches(sentence).Select(match => match.Groups[1].Value).Where(name => name != "<Job>").ToList()
            : [];
        foreach (var line in section)
        {
            var cells = line.Split(" | ");
            // The first cell of a row; a row of options set in code begins with the method instead of a section.
            if (line.StartsWith("| `", StringComparison.Ordinal) && SettingKey().Match(cells[0]) is { Success: true } key)
            {
                var setting = new DocumentedSetting(key.Groups[1].Value, cells[^2].Trim(), cells[^1].TrimEnd('|', ' '));
                foreach (var expanded in setting.Key.Contains("<Job>", StringComparison.Ordinal) ? jobs : [""])
                {
                    yield return setting with { Key = setting.Key.Replace("<Job>", expanded, StringComparison.Ordinal) };
                }
            }
        }
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex("^[|] `([A-Z][A-Za-z0-9]*(?::[A-Za-z0-9<>]+)+)`")]
    private static partial Regex SettingKey();
}
