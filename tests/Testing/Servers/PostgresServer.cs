using Npgsql;

namespace Maintenance.Testing;

/// <summary>
/// A real PostgreSQL cluster of its own, on a free loopback port, without fsync. PostgreSQL refuses to run as root, so under root it
/// runs as the user that its Debian package made.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(90);
    private static readonly Lazy<Task<PostgresServer>> SharedServer = new(StartSharedAsync);

    private const string FolderPrefix = "maintenance-postgres-of-";

    private readonly string _folder = Directory.CreateTempSubdirectory($"{FolderPrefix}{Environment.ProcessId}-").FullName;
    private readonly PostgresPrograms _programs = PostgresPrograms.Find();
    private ChildProcess? _process;
    private int _databases;

    private PostgresServer()
    {
    }

    /// <summary>Loopback port; the same after a restart.</summary>
    public int Port { get; private set; }

    /// <summary>Process id of the postmaster; a restart changes it.</summary>
    public int ProcessId => Running.Id;

    /// <summary>Whether the postmaster is alive (a paused one is).</summary>
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Connection string of the superuser on the database <c>postgres</c>, with a password.</summary>
    public string ConnectionString => Connection("postgres");

    /// <summary>The server's last log lines.</summary>
    public string LogTail => _process?.Tail() ?? "not started";

    /// <summary>Temporary folder of its data; removed with the server.</summary>
    public string Folder => _folder;

    private ChildProcess Running => _process ?? throw new InvalidOperationException("The server is not running.");

    /// <summary>
    /// The one server that all tests of this process share: started by the first caller, ended with the process. Tests that pause or
    /// kill it start their own.
    /// </summary>
    public static Task<PostgresServer> SharedAsync() => SharedServer.Value;

    /// <summary>Starts one and returns when it answers.</summary>
    /// <exception cref="InvalidOperationException">It did not start; the message ends with its log.</exception>
    public static async Task<PostgresServer> StartAsync()
    {
        RemoveAbandonedFolders();
        var server = new PostgresServer();
        try
        {
            await server._programs.CreateClusterAsync(server._folder);
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    server.Port = FreePort.Next();
                    await server.StartOnPortAsync();
                    return server;
                }
                catch (InvalidOperationException) when (attempt < 5 && server.LogTail.Contains("in use", StringComparison.OrdinalIgnoreCase))
                {
                    // Another process took the port between the look and the start.
                }
            }
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>A fresh, empty database, so that tests that share a server do not meet.</summary>
    public async Task<PostgresDatabase> CreateDatabaseAsync()
    {
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        // Not of template1: whoever is connected to that at the moment, be it the server's own vacuum, makes it fail.
        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE template0");
        return new PostgresDatabase(name, Connection(name));
    }

    /// <summary>Runs SQL on the database <c>postgres</c>; see <see cref="PostgresDatabase.ExecuteAsync"/>.</summary>
    public Task<int> ExecuteAsync(string sql, params object[] parameters) =>
        new PostgresDatabase("postgres", ConnectionString).ExecuteAsync(sql, parameters);

    /// <summary>SIGTERM would wait for clients: SIGINT, which ends their connections, flushes and ends.</summary>
    public async Task StopAsync()
    {
        await Running.SignalAsync(Signal.Interrupt);
        await Running.WaitForExitAsync();
    }

    /// <summary>SIGKILL for every process of the cluster: what a power cut does.</summary>
    public async Task KillAsync()
    {
        // The postmaster first: it would start what is missing again. Stopped before the look at its children, so that it makes none after that, which would
        // live on and keep the next start from the data.
        if (IsRunning)
        {
            try
            {
                await Running.SignalAsync(Signal.Stop);
            }
            catch (InvalidOperationException) when (!IsRunning)
            {
                // It has just ended by itself.
            }
        }

        var children = Children();
        await Running.SignalAsync(Signal.Kill);
        foreach (var child in children)
        {
            NativeSignals.TrySend(child, Signal.Kill);
        }

        await Running.WaitForExitAsync();
        await Eventually.TrueAsync(() => children.TrueForAll(id => !Directory.Exists($"/proc/{id}")), because: "processes of the cluster end");
    }

    /// <summary>SIGSTOP for every process of the cluster: connections stay open and nothing answers.</summary>
    public async Task PauseAsync()
    {
        await Running.SignalAsync(Signal.Stop);
        foreach (var child in Children())
        {
            NativeSignals.TrySend(child, Signal.Stop);
        }
    }

    /// <summary>SIGCONT.</summary>
    public async Task ResumeAsync()
    {
        foreach (var child in Children())
        {
            NativeSignals.TrySend(child, Signal.Continue);
        }

        await Running.SignalAsync(Signal.Continue);
    }

    /// <summary>Starts again on the same port with the same data; kills it first if it still runs.</summary>
    public async Task RestartAsync()
    {
        if (IsRunning)
        {
            await KillAsync();
        }

        await StartOnPortAsync();
    }

    /// <summary>Kills the server and removes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        if (IsRunning)
        {
            await KillAsync();
        }

        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<PostgresServer> StartSharedAsync()
    {
        var server = await StartAsync();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.EndWithTheProcess();
        return server;
    }

    // Other handlers kill children too, and what is left is removed by the next start: nothing here may fail the tests' process.
    private void EndWithTheProcess()
    {
        try
        {
            DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(5));
        }
        catch (AggregateException e) when (e.InnerException is IOException or InvalidOperationException or TimeoutException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"PostgreSQL of process {Environment.ProcessId}: {e.InnerException.Message}");
        }
    }

    // A test runner may end its process before the handler above has removed the folder, so the next start does it. The owner is in the name.
    private static void RemoveAbandonedFolders()
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), FolderPrefix + "*"))
        {
            var owner = Path.GetFileName(folder)[FolderPrefix.Length..].Split('-')[0];
            if (Directory.Exists($"/proc/{owner}"))
            {
                continue;
            }

            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another start removes it, or it is another user's.
            }
        }
    }

    private string Connection(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Database = database,
        Username = PostgresPrograms.Superuser,
        Password = PostgresPrograms.Password,
        // Tests share one server with its default of 100 connections.
        MaxPoolSize = 20,
    }.ConnectionString;

    // Each of PostgreSQL's processes leads a session of its own, so a signal to the process group would miss them.
    private List<int> Children()
    {
        var parent = ProcessId;
        return
        [
            .. from folder in Directory.EnumerateDirectories("/proc")
               where int.TryParse(Path.GetFileName(folder), out _) && ParentOf(folder) == parent
               select int.Parse(Path.GetFileName(folder)),
        ];
    }

    private static int ParentOf(string folder)
    {
        try
        {
            // The parent is the second field after the name, which stands in parentheses and may hold anything.
            var stat = File.ReadAllText(Path.Combine(folder, "stat"));
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1]);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private async Task StartOnPortAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        var process = _programs.StartServer(_folder, Port);
        _process = process;
        try
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    // An ended process never answers: stop polling, the check below reports it.
                    if (process.HasExited)
                    {
                        return true;
                    }

                    await ExecuteAsync("SELECT 1");
                    return true;
                },
                StartDeadline);
        }
        catch (TimeoutException e)
        {
            throw new InvalidOperationException($"{process.Command} does not answer. {e.Message} {process.Tail()}", e);
        }

        if (process.HasExited)
        {
            await process.WaitForExitAsync();
            throw new InvalidOperationException($"{process.Command} ended with {process.ExitCode}. {process.Tail()}");
        }
    }
}

/// <summary>The shared PostgreSQL of the test process as an <c>IClassFixture</c>: however many classes ask, one server starts.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private PostgresServer? _server;

    /// <summary>The running server.</summary>
    public PostgresServer Server => _server ?? throw new InvalidOperationException("The fixture is not initialized.");

    /// <inheritdoc/>
    public async Task InitializeAsync() => _server = await PostgresServer.SharedAsync();

    /// <summary>Nothing: the server ends with the process.</summary>
    public Task DisposeAsync() => Task.CompletedTask;
}
