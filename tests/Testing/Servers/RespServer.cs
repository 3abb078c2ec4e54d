namespace Maintenance.Testing;

/// <summary>A server that speaks RESP, run as a child process on a free loopback port.</summary>
public abstract class RespServer : IAsyncDisposable
{
    private static readonly TimeSpan CommandDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(90);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private ChildProcess? _process;
    private RespConnection? _connection;

    private protected RespServer(string? password)
    {
        Password = password;
        Folder = Directory.CreateTempSubdirectory("maintenance-test-").FullName;
    }

    /// <summary>Loopback port; the same after a restart.</summary>
    public int Port { get; private set; }

    /// <summary>Process id of the running server; a restart changes it.</summary>
    public int ProcessId => Running.Id;

    /// <summary>Password of the default user, or null.</summary>
    public string? Password { get; }

    /// <summary>URL for <c>REDIS_URL</c>, with the password if there is one.</summary>
    public string Url => Password is null ? $"redis://127.0.0.1:{Port}" : $"redis://:{Uri.EscapeDataString(Password)}@127.0.0.1:{Port}";

    /// <summary>Host and port, as the client libraries take them.</summary>
    public string Endpoint => $"127.0.0.1:{Port}";

    /// <summary>Whether the process is alive (a paused one is).</summary>
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Temporary folder of its data; removed with the server.</summary>
    public string Folder { get; }

    /// <summary>The server's last log lines.</summary>
    public string LogTail => _process?.Tail() ?? "not started";

    private ChildProcess Running => _process ?? throw new InvalidOperationException("The server is not running.");

    /// <summary>Runs a command; see <see cref="RespConnection.ExecuteAsync"/>. Callers take turns on one connection.</summary>
    public Task<object?> ExecuteAsync(params string[] command) => UseAsync((connection, token) => connection.ExecuteAsync(command, token));

    /// <summary>The same, with bulk strings as byte[].</summary>
    public Task<object?> ExecuteRawAsync(params byte[][] command) => UseAsync((connection, token) => connection.ExecuteRawAsync(command, token));

    /// <summary>Many commands pipelined, for planting data.</summary>
    public Task<IReadOnlyList<object?>> ExecuteManyAsync(IEnumerable<string[]> commands) =>
        UseAsync((connection, token) => connection.ExecuteManyAsync(commands, token));

    /// <summary>A command that answers with a string, or nil.</summary>
    public async Task<string?> StringAsync(params string[] command) => (string?)await ExecuteAsync(command);

    /// <summary>A command that answers with an integer.</summary>
    public async Task<long> IntegerAsync(params string[] command) =>
        await ExecuteAsync(command) is long number ? number : throw new InvalidDataException($"{command[0]} did not answer with an integer.");

    /// <summary>A command that answers with a flat array of strings.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(params string[] command) =>
        [.. ((object?[]?)await ExecuteAsync(command) ?? []).Select(item => item?.ToString() ?? string.Empty)];

    /// <summary>Every key of database 0 that matches, sorted. KEYS is right here: test stores are small.</summary>
    public async Task<IReadOnlyList<string>> KeysAsync(string pattern = "*") =>
        [.. (await ListAsync("KEYS", pattern)).Order(StringComparer.Ordinal)];

    /// <summary>Empties every database.</summary>
    public Task FlushAllAsync() => ExecuteAsync("FLUSHALL");

    /// <summary>SIGTERM, and awaits the end.</summary>
    public Task StopAsync() => EndAsync(Signal.Terminate);

    /// <summary>SIGKILL, and awaits the end.</summary>
    public Task KillAsync() => EndAsync(Signal.Kill);

    /// <summary>SIGSTOP: connections stay open and nothing answers.</summary>
    public Task PauseAsync() => Running.SignalAsync(Signal.Stop);

    /// <summary>SIGCONT.</summary>
    public Task ResumeAsync() => Running.SignalAsync(Signal.Continue);

    /// <summary>Starts again on the same port with the same folder; kills it first if it still runs.</summary>
    public async Task RestartAsync()
    {
        if (IsRunning)
        {
            await KillAsync();
        }

        await StartOnAsync(Port);
    }

    /// <summary>Kills the server and removes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        DropConnection();
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        Directory.Delete(Folder, recursive: true);
        _turn.Dispose();
    }

    /// <summary>For a server that lives as long as the test process: nothing here may fail that process.</summary>
    internal void EndWithTheProcess()
    {
        try
        {
            DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(5));
        }
        catch (AggregateException e) when (e.InnerException is IOException or InvalidOperationException or TimeoutException)
        {
            Console.Error.WriteLine($"Server of process {Environment.ProcessId}: {e.InnerException.Message}");
        }
    }

    /// <summary>Starts the program on a port.</summary>
    private protected abstract ChildProcess Launch(int port);

    private protected async Task StartOnFreePortAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await StartOnAsync(FreePort.Next());
                return;
            }
            catch (InvalidOperationException) when (attempt < 5 && LogTail.Contains("in use", StringComparison.OrdinalIgnoreCase))
            {
                // Another process took the port between the look and the start.
            }
            catch
            {
                await DisposeAsync();
                throw;
            }
        }
    }

    private async Task StartOnAsync(int port)
    {
        Port = port;
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        var process = Launch(port);
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

                    using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10), TimeProvider.System);
                    using var connection = await RespConnection.ConnectAsync(port, Password, deadline.Token);
                    return await connection.ExecuteAsync(["PING"], deadline.Token) is "PONG";
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

    private async Task EndAsync(Signal signal)
    {
        DropConnection();
        await Running.SignalAsync(signal);
        await Running.WaitForExitAsync();
    }

    private async Task<T> UseAsync<T>(Func<RespConnection, CancellationToken, Task<T>> use)
    {
        await _turn.WaitAsync();
        try
        {
            using var deadline = new CancellationTokenSource(CommandDeadline, TimeProvider.System);
            _connection ??= await RespConnection.ConnectAsync(Port, Password, deadline.Token);
            return await use(_connection, deadline.Token);
        }
        catch (Exception e) when (e is not RespErrorException)
        {
            // Replies may be out of step now.
            DropConnection();
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private void DropConnection()
    {
        _connection?.Dispose();
        _connection = null;
    }
}
