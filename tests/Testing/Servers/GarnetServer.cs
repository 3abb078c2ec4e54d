using System.Collections.Concurrent;
using System.Text.Json;
using System.Xml.Linq;

namespace Maintenance.Testing;

/// <summary>The embedded store of the demo: <c>garnet-server</c> from the tool manifest, which <c>dotnet tool restore</c> must have fetched.</summary>
public sealed class GarnetServer : RespServer
{
    private readonly IReadOnlyList<string> _extraArguments;

    private GarnetServer(IReadOnlyList<string> extraArguments)
        : base(password: null)
    {
        _extraArguments = extraArguments;
    }

    /// <summary>Starts one with Lua on and returns when PING answers.</summary>
    /// <exception cref="FileNotFoundException">The tool is not restored.</exception>
    public static async Task<GarnetServer> StartAsync(params string[] extraArguments)
    {
        var server = new GarnetServer(extraArguments);
        await server.StartOnFreePortAsync();
        return server;
    }

    // The tool's dll and not `dotnet garnet-server`: that would be a process between us and the server, and signals would miss it.
    private protected override ChildProcess Launch(int port) =>
        ChildProcess.Start(
            "dotnet",
            [FindTool(), "--bind", "127.0.0.1", "--port", $"{port}", "--lua", "--lua-transaction-mode", .. _extraArguments],
            workingDirectory: Folder);

    private static string FindTool()
    {
        using var manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(BuiltProgram.RepositoryRoot, ".config", "dotnet-tools.json")));
        var version = manifest.RootElement.GetProperty("tools").GetProperty("garnet-server").GetProperty("version").GetString();
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var folder = Path.Combine(packages, "garnet-server", version!);

        // The package holds other programs too; its settings name the one that is the tool.
        var settings = (Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "DotnetToolSettings.xml", SearchOption.AllDirectories) : [])
            .Order(StringComparer.Ordinal)
            .LastOrDefault()
            ?? throw new FileNotFoundException($"garnet-server {version} is not in {packages}; run 'dotnet tool restore'.");
        var entryPoint = XDocument.Load(settings).Descendants("Command").First().Attribute("EntryPoint")!.Value;
        return Path.Combine(Path.GetDirectoryName(settings)!, entryPoint);
    }
}

/// <summary>
/// One Garnet for all tests of a class (<c>IClassFixture</c>). A class that begins later gets the same server, emptied: to start one costs more than
/// most classes do.
/// </summary>
public sealed class GarnetFixture : IAsyncLifetime
{
    private static readonly ConcurrentBag<GarnetServer> Idle = [];

    private GarnetServer? _server;

    static GarnetFixture() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        while (Idle.TryTake(out var server))
        {
            server.EndWithTheProcess();
        }
    };

    /// <summary>The running server.</summary>
    public GarnetServer Server => _server ?? throw new InvalidOperationException("The fixture is not initialized.");

    /// <inheritdoc/>
    public async Task InitializeAsync() => _server = Idle.TryTake(out var idle) ? idle : await GarnetServer.StartAsync();

    /// <summary>Leaves the server, emptied, to the next class.</summary>
    public async Task DisposeAsync()
    {
        if (_server is not { } server)
        {
            return;
        }

        await server.FlushAllAsync();
        Idle.Add(server);
    }
}
