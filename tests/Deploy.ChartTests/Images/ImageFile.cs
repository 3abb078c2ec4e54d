using System.Text.Json;
using System.Text.RegularExpressions;

namespace Maintenance.Deploy.ChartTests.Images;

/// <summary>What a Dockerfile of ours says of the container: the program that it starts, where, and its variables.</summary>
internal sealed partial class ImageFile
{
    private ImageFile(string name)
    {
        Name = name;
        var lines = LineEnd().Replace(File.ReadAllText(Path.Combine(BuiltProgram.RepositoryRoot, "deploy", "docker", $"{name}.Dockerfile")), "")
            .Split('\n')
            .ToLookup(line => line.Split(' ', 2)[0], line => line.Split(' ', 2)[^1].Trim(), StringComparer.Ordinal);
        EntryPoint = [.. lines["ENTRYPOINT"].Concat(lines["CMD"]).SelectMany(words => JsonSerializer.Deserialize<string[]>(words)!)];
        WorkingFolder = lines["WORKDIR"].Single();
        User = lines["USER"].Single();
        Environment = [.. lines["ENV"].SelectMany(words => words.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        // The published folder is all that is in the working folder.
        lines["COPY"].First().ShouldBe($"artifacts/publish/{name}/ ./");
    }

    public string Name { get; }

    /// <summary>What runs when the manifest names no command.</summary>
    public IReadOnlyList<string> EntryPoint { get; }

    public string WorkingFolder { get; }

    /// <summary>User and group, as numbers.</summary>
    public string User { get; }

    /// <summary><c>NAME=value</c> each.</summary>
    public IReadOnlyList<string> Environment { get; }

    public static ImageFile Of(string name) => new(name);

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex LineEnd();
}
