using System.Text.RegularExpressions;

namespace Maintenance.Deploy.Tests.Runbooks;

/// <summary>One file of docs/runbooks and what it names.</summary>
internal sealed partial class Runbook(string file)
{
    public static IReadOnlyList<Runbook> All { get; } =
        [.. Directory.EnumerateFiles(RepositoryFile.PathOf("docs/runbooks"), "*.md").Order(StringComparer.Ordinal).Select(file => new Runbook(file))];

    public string Name { get; } = Path.GetFileName(file);

    public string Text { get; } = File.ReadAllText(file);

    public IReadOnlyList<string> Headings => [.. Heading().Matches(Text).Select(match => match.Groups["it"].Value)];

    /// <summary>PromQL, a query a line.</summary>
    public IReadOnlyList<string> Queries => [.. Block().Matches(Text).SelectMany(match => match.Groups["it"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];

    /// <summary>Lines of a language's blocks between the headings First look and Repair; comments are none.</summary>
    public IReadOnlyList<string> FirstLook(string language)
    {
        var part = FirstLookPart().Match(Text).Groups["it"].Value;
        return
        [
            .. Regex.Matches(part, $"```{language}\n(?<it>.*?)```", RegexOptions.Singleline)
                .SelectMany(match => match.Groups["it"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                .Where(line => !line.StartsWith('#')),
        ];
    }

    /// <summary>What stands behind <c>worker</c> in code: verbs with their arguments.</summary>
    public IReadOnlyList<string> WorkerCommands => [.. WorkerCommand().Matches(Text).Select(match => match.Groups["it"].Value)];

    /// <summary>Settings, as <c>Section:Name</c>; those of an environment variable too.</summary>
    public IReadOnlyList<string> Settings =>
    [
        .. Setting().Matches(Text).Select(match => match.Groups["it"].Value)
            .Concat(Variable().Matches(Text).Select(match => match.Value.Replace("__", ":", StringComparison.Ordinal))),
    ];

    /// <summary>Targets of links to files, and paths under <c>deploy</c>, from the root of the repository.</summary>
    public IReadOnlyList<string> Files =>
    [
        .. Link().Matches(Text).Select(match => Path.GetRelativePath(RepositoryFile.PathOf("."), Path.GetFullPath(Path.Combine(RepositoryFile.PathOf("docs/runbooks"), match.Groups["it"].Value))))
            .Concat(DeployPath().Matches(Text).Select(match => match.Value)),
    ];

    public IReadOnlyList<string> Tests => [.. TestName().Matches(Text).Select(match => match.Groups["it"].Value)];

    [GeneratedRegex("^## (?<it>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("^## First look\n(?<it>.*?)^## ", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex FirstLookPart();

    [GeneratedRegex("```promql\n(?<it>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("(?:^|`|=1 )worker (?<it>[a-z][^`\n]*)", RegexOptions.Multiline)]
    private static partial Regex WorkerCommand();

    [GeneratedRegex("`(?<it>[A-Z][A-Za-z]+(?::(?:[A-Z][A-Za-z]+|<[A-Za-z]+>))+)`")]
    private static partial Regex Setting();

    [GeneratedRegex("[A-Z][A-Za-z]+(?:__[A-Z][A-Za-z]+)+")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\]\((?<it>[^)#:]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"deploy/[a-z./-]*[a-z]")]
    private static partial Regex DeployPath();

    [GeneratedRegex("[Tt]est `(?<it>[A-Z][A-Za-z0-9_]+)`")]
    private static partial Regex TestName();
}
