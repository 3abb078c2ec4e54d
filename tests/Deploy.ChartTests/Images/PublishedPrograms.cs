using System.Diagnostics;

namespace Maintenance.Deploy.ChartTests.Images;

/// <summary>
/// The folders that <c>./dev publish</c> makes, as the images copy them: made once for all tests of the process, self-contained as in the images.
/// </summary>
public sealed class PublishedPrograms : IAsyncLifetime
{
    private const string FolderPrefix = "maintenance-publish-of-";

    private static readonly Lazy<Task<string>> Shared = new(PublishAsync);

    private static string? made;

    /// <summary>The folder of a program, by the name of its Dockerfile.</summary>
    public static string FolderOf(string image) =>
        Path.Combine(made ?? throw new InvalidOperationException("A test class that runs published programs needs the fixture PublishedPrograms."), image);

    /// <summary>A file in the folder of a program.</summary>
#pragma warning disable CA1822 // a fixture's member: who has the fixture has the folders
    public string PathOf(string image, string file) => Path.Combine(FolderOf(image), file);
#pragma warning restore CA1822

    public async Task InitializeAsync() => made = await Shared.Value;

    /// <summary>Nothing: the folders go with the process.</summary>
    public Task DisposeAsync() => Task.CompletedTask;

    private static async Task<string> PublishAsync()
    {
        RemoveAbandonedFolders();
        var folder = Directory.CreateTempSubdirectory($"{FolderPrefix}{Environment.ProcessId}-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        var started = Stopwatch.GetTimestamp();
        await using var publish = ChildProcess.Start(Path.Combine(BuiltProgram.RepositoryRoot, "dev"), ["publish", "--output", folder]);
        (await publish.WaitForExitAsync(TimeSpan.FromMinutes(15))).ShouldBe(0, publish.Tail());
        Console.WriteLine($"[measured] ./dev publish: {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s");
        return folder;
    }

    // A test runner may end its process before the handler above is done. The owner is in the name.
    private static void RemoveAbandonedFolders()
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), FolderPrefix + "*"))
        {
            if (!Directory.Exists($"/proc/{Path.GetFileName(folder)[FolderPrefix.Length..].Split('-')[0]}"))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }
}
