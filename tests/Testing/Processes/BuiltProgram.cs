namespace Maintenance.Testing;

/// <summary>Finds the repository and our built programs from where the test assembly lies.</summary>
public static class BuiltProgram
{
    /// <summary>Root folder of the repository: the one that holds <c>Maintenance.sln</c>.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>Path of a program's dll in its own output folder, in the tests' configuration.</summary>
    /// <param name="project">Folder under <c>src</c>, for example <c>Worker</c>; or <c>Bench</c>, which lies at the root.</param>
    public static string PathOf(string project)
    {
        var file = $"Maintenance.{project}.dll";

        // .../tests/X/bin/Release/net10.0/: the last two folders are the same for the program.
        var framework = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        var own = Path.Combine(RepositoryRoot, project == "Bench" ? "bench" : Path.Combine("src", project), "bin", framework.Parent?.Name ?? "Release", framework.Name, file);
        if (File.Exists(own))
        {
            return own;
        }

        var copied = Path.Combine(AppContext.BaseDirectory, file);
        return File.Exists(copied) && File.Exists(Path.ChangeExtension(copied, ".runtimeconfig.json"))
            ? copied
            : throw new FileNotFoundException($"{project} is not built: neither {own} nor {copied} exists.");
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Maintenance.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No Maintenance.sln above {AppContext.BaseDirectory}.");
    }
}
