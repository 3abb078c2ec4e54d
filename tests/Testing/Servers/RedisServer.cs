namespace Maintenance.Testing;

/// <summary>How a test's Redis differs from the default: no persistence, no memory limit, no password.</summary>
public sealed record RedisServerOptions
{
    /// <summary><c>maxmemory</c> in bytes; null for no limit.</summary>
    public long? MaxMemoryBytes { get; init; }

    /// <summary><c>maxmemory-policy</c>, for example <c>noeviction</c>.</summary>
    public string? MaxMemoryPolicy { get; init; }

    /// <summary><c>requirepass</c>.</summary>
    public string? Password { get; init; }

    /// <summary>Whether the password stands in a user file (<c>aclfile</c> in <see cref="ConfigurationLines"/>), beside which <c>requirepass</c> is an error.</summary>
    public bool PasswordIsInUserFile { get; init; }

    /// <summary>Append-only file with fsync at every write, so that data survives a kill and restart.</summary>
    public bool AppendOnly { get; init; }

    /// <summary>Commands the server refuses as unknown, as managed offers do with CONFIG.</summary>
    public IReadOnlyList<string> RefusedCommands { get; init; } = [];

    /// <summary>Listens on a Unix socket too; see <see cref="RedisServer.UnixSocketPath"/>.</summary>
    public bool UnixSocket { get; init; }

    /// <summary>Further lines of redis.conf.</summary>
    public IReadOnlyList<string> ConfigurationLines { get; init; } = [];

    /// <summary>Further arguments of the command line, which win over the file.</summary>
    public IReadOnlyList<string> ExtraArguments { get; init; } = [];
}

/// <summary>A real <c>redis-server</c> with its own temporary folder. The DEBUG command is enabled.</summary>
public sealed class RedisServer : RespServer
{
    private readonly RedisServerOptions _options;

    private RedisServer(RedisServerOptions options)
        : base(options.Password)
    {
        _options = options;
    }

    /// <summary>The Unix socket, if asked for.</summary>
    public string UnixSocketPath => Path.Combine(Folder, "redis.sock");

    /// <summary>Starts one and returns when PING answers.</summary>
    /// <exception cref="InvalidOperationException">It did not start; the message ends with its log.</exception>
    public static async Task<RedisServer> StartAsync(RedisServerOptions? options = null)
    {
        var server = new RedisServer(options ?? new RedisServerOptions());
        await server.StartOnFreePortAsync();
        return server;
    }

    /// <summary>
    /// Returns when a replica has all that this server has been told so far, by whichever client. WAIT would not do: it asks for what its own connection
    /// has written, and a connection that has written nothing gets its answer at once.
    /// </summary>
    public async Task ReplicatedToAsync(RedisServer replica)
    {
        var told = await OffsetAsync();
        await Eventually.TrueAsync(async () => await replica.OffsetAsync() >= told, TimeSpan.FromSeconds(60));
    }

    private protected override ChildProcess Launch(int port)
    {
        var file = Path.Combine(Folder, "redis.conf");
        File.WriteAllLines(file, Configuration());
        return ChildProcess.Start("redis-server", [file, "--port", $"{port}", .. _options.ExtraArguments]);
    }

    // ROLE of a primary: master, offset, replicas; of a replica: slave, host, port, state of the link, offset (-1 without a link).
    private async Task<long> OffsetAsync()
    {
        var role = (object?[])(await ExecuteAsync("ROLE"))!;
        return (long)role[(string)role[0]! == "master" ? 1 : 4]!;
    }

    private List<string> Configuration()
    {
        List<string> lines =
        [
            "bind 127.0.0.1",
            "save \"\"",
            $"dir \"{Folder}\"",
            "daemonize no",
            "enable-debug-command yes",
        ];
        if (_options.MaxMemoryBytes is { } bytes)
        {
            lines.Add($"maxmemory {bytes}");
        }

        if (_options.MaxMemoryPolicy is { } policy)
        {
            lines.Add($"maxmemory-policy {policy}");
        }

        if (Password is not null && !_options.PasswordIsInUserFile)
        {
            lines.Add($"requirepass \"{Password}\"");
        }

        if (_options.AppendOnly)
        {
            lines.AddRange(["appendonly yes", "appendfsync always"]);
        }

        if (_options.UnixSocket)
        {
            lines.Add($"unixsocket \"{UnixSocketPath}\"");
        }

        lines.AddRange(_options.RefusedCommands.Select(command => $"rename-command {command} \"\""));
        lines.AddRange(_options.ConfigurationLines);
        return lines;
    }
}

/// <summary>One Redis for all tests of a class (<c>IClassFixture</c>) or collection.</summary>
public sealed class RedisFixture : IAsyncLifetime
{
    private RedisServer? _server;

    /// <summary>The running server.</summary>
    public RedisServer Server => _server ?? throw new InvalidOperationException("The fixture is not initialized.");

    /// <inheritdoc/>
    public async Task InitializeAsync() => _server = await RedisServer.StartAsync();

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
