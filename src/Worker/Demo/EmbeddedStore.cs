using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Xml.Linq;

namespace Maintenance.Worker.Demo;

/// <summary>
/// The store of the demo: garnet-server, a .NET tool that speaks Redis's protocol, as a child process on a free loopback port. For demo and
/// Development only; it reports no memory figures, and production means a real Redis.
/// </summary>
internal sealed class EmbeddedStore : IAsyncDisposable
{
    private const string Tool = "garnet-server";
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly Process process;

    private EmbeddedStore(Process process, int port)
    {
        this.process = process;
        Url = $"redis://127.0.0.1:{port}";
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Kill();
    }

    /// <summary>Where it listens.</summary>
    public string Url { get; }

    /// <summary>Starts it and returns when it accepts connections.</summary>
    /// <exception cref="EmbeddedStoreException">The tool is not restored, or it does not start.</exception>
    public static async Task<EmbeddedStore> StartAsync(TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        var port = FreePort();
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } path ? path : "dotnet")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var argument in (string[])[.. FindTool(start), "--bind", "127.0.0.1", "--port", $"{port}", "--lua", "--lua-transaction-mode"])
        {
            start.ArgumentList.Add(argument);
        }

        var started = Process.Start(start) ?? throw new EmbeddedStoreException("The embedded store did not start.");
        // Read, or a full pipe would stop it.
        started.OutputDataReceived += (_, _) => { };
        started.ErrorDataReceived += (_, _) => { };
        started.BeginOutputReadLine();
        started.BeginErrorReadLine();
        var store = new EmbeddedStore(started, port);
        try
        {
            await store.WaitUntilItListensAsync(port, timeProvider, cancellationToken);
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends it; it knows no SHUTDOWN.</summary>
    public async ValueTask DisposeAsync()
    {
        Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private async Task WaitUntilItListensAsync(int port, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        var started = timeProvider.GetTimestamp();
        while (true)
        {
            using var socket = new TcpClient();
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
                return;
            }
            catch (SocketException) when (!process.HasExited && timeProvider.GetElapsedTime(started) < StartTimeout)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), timeProvider, cancellationToken);
            }
            catch (SocketException exception)
            {
                throw new EmbeddedStoreException($"The embedded store ({Tool}) did not start to listen on port {port}. Is it restored (dotnet tool restore)? Or give --redis URL.", exception);
            }
        }
    }

    // The tool's own dll where packages usually lie, and not "dotnet garnet-server", which puts a process between us and the server; that one where
    // a configuration keeps packages elsewhere.
    private static string[] FindTool(ProcessStartInfo start)
    {
        var (manifest, version) = ToolManifest()
            ?? throw new EmbeddedStoreException("The embedded store comes from .config/dotnet-tools.json of the repository, which is not above this folder. Run ./dev demo there, or give --redis URL.");
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var folder = Path.Combine(packages, Tool, version);
        // The package holds several programs, for several frameworks; the settings beside it name the tool's.
        var settings = Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, "DotnetToolSettings.xml", SearchOption.AllDirectories).Order(StringComparer.Ordinal).LastOrDefault()
            : null;
        if (settings is null)
        {
            start.WorkingDirectory = manifest;
            return ["tool", "run", Tool, "--"];
        }

        return [Path.Combine(Path.GetDirectoryName(settings)!, XDocument.Load(settings).Descendants("Command").First().Attribute("EntryPoint")!.Value)];
    }

    private static (string Folder, string Version)? ToolManifest()
    {
        foreach (var start in (string[])[Environment.CurrentDirectory, AppContext.BaseDirectory])
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                var manifest = Path.Combine(folder.FullName, ".config", "dotnet-tools.json");
                if (!File.Exists(manifest))
                {
                    continue;
                }

                using var json = JsonDocument.Parse(File.ReadAllText(manifest));
                return json.RootElement.GetProperty("tools").TryGetProperty(Tool, out var tool) && tool.GetProperty("version").GetString() is { } version
                    ? (folder.FullName, version)
                    : null;
            }
        }

        return null;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Kill()
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended already.
        }
    }
}

/// <summary>The embedded store cannot be had; the message says what to do.</summary>
internal sealed class EmbeddedStoreException(string message, Exception? innerException = null) : Exception(message, innerException);
