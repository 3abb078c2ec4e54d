using Maintenance.Testing;

namespace Maintenance.Deploy.Tests;

/// <summary>Files of the repository by their path in it.</summary>
internal static class RepositoryFile
{
    public static string PathOf(string path) => Path.GetFullPath(Path.Combine(BuiltProgram.RepositoryRoot, path));

    public static string Read(string path) => File.ReadAllText(PathOf(path));
}
