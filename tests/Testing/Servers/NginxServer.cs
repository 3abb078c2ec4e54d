namespace Maintenance.Testing;

/// <summary>
/// A real nginx on a loopback port, as one process of the test's own user (so root is as good as anybody), with every file in a folder of its own.
/// </summary>
public sealed class NginxServer : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("maintenance-nginx-").FullName;
    private ChildProcess? _process;

    private NginxServer(int port) => Port = port;

    /// <summary>Loopback port.</summary>
    public int Port { get; }

    /// <summary>Base address.</summary>
    public Uri Address => new($"http://127.0.0.1:{Port}/");

    /// <summary>Its last log lines.</summary>
    public string LogTail => _process?.Tail() ?? "not started";

    /// <summary>Starts one and returns when it answers.</summary>
    /// <param name="site">What stands in the <c>http</c> block, given <c>address:port</c> to listen at.</param>
    /// <exception cref="InvalidOperationException">It did not start; the message ends with its log.</exception>
    public static async Task<NginxServer> StartAsync(Func<string, string> site)
    {
        for (var attempt = 1; ; attempt++)
        {
            var server = new NginxServer(FreePort.Next());
            try
            {
                await server.StartAsync(site($"127.0.0.1:{server.Port}"));
                return server;
            }
            catch (InvalidOperationException) when (attempt < 5 && server.LogTail.Contains("in use", StringComparison.OrdinalIgnoreCase))
            {
                // Another process took the port between the look and the start.
                await server.DisposeAsync();
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>Kills it and removes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAsync(string site)
    {
        var file = Path.Combine(_folder, "nginx.conf");
        await File.WriteAllTextAsync(file, Configuration(site));
        // -e: otherwise it complains that the package's log is not this user's, before it reads the configuration.
        var process = ChildProcess.Start("nginx", ["-c", file, "-p", _folder, "-e", "stderr"], workingDirectory: _folder);
        _process = process;
        // It writes its id when it listens.
        await Eventually.TrueAsync(() => process.HasExited || File.Exists(Path.Combine(_folder, "nginx.pid")), StartDeadline);
        if (process.HasExited)
        {
            await process.WaitForExitAsync();
            throw new InvalidOperationException($"nginx ended. {process.Tail()}");
        }
    }

    private string Configuration(string site) => $$"""
        daemon off;
        master_process off;
        pid {{_folder}}/nginx.pid;
        error_log stderr warn;
        events { worker_connections 256; }
        http {
            access_log off;
            client_body_temp_path {{_folder}}/body;
            proxy_temp_path {{_folder}}/proxy;
            fastcgi_temp_path {{_folder}}/fastcgi;
            uwsgi_temp_path {{_folder}}/uwsgi;
            scgi_temp_path {{_folder}}/scgi;
            {{site}}
        }
        """;
}
