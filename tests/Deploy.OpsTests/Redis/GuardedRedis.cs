using Maintenance.Testing;

namespace Maintenance.Deploy.OpsTests.Redis;

/// <summary>A real Redis as deploy/redis/start.sh starts it, with the users of users.acl, and an admin who can look.</summary>
internal sealed class GuardedRedis : IAsyncDisposable
{
    private readonly string home;
    private readonly ChildProcess process;
    private readonly RespConnection boss;

    private GuardedRedis(string folder, int port, string prefix, ChildProcess server, RespConnection admin)
    {
        home = folder;
        Port = port;
        Prefix = prefix;
        process = server;
        boss = admin;
    }

    public int Port { get; }

    /// <summary>What <c>Storage:Redis:KeyPrefix</c> of the programs must be.</summary>
    public string Prefix { get; }

    /// <param name="prefix">KEY_PREFIX.</param>
    /// <param name="arguments">For redis-server, behind the script's own.</param>
    /// <param name="data">Folder of the data; one of its own if null.</param>
    public static async Task<GuardedRedis> StartAsync(string prefix = "", IReadOnlyList<string>? arguments = null, string? data = null)
    {
        var folder = Directory.CreateTempSubdirectory("maintenance-acl-").FullName;
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort.Next();
            // What follows the script's own arguments wins: only where it listens.
            var environment = UserFile.Environment(folder, prefix);
            environment["REDIS_DATA"] = data ?? folder;
            var server = ChildProcess.Start(
                Path.Combine(UserFile.Folder, "start.sh"), [.. arguments ?? [], "--port", $"{port}", "--bind", "127.0.0.1"], environment);
            RespConnection? admin = null;
            await Eventually.TrueAsync(
                async () => server.HasExited || (admin = await LogInAsync(port, "admin", UserFile.AdminPassword)) is not null, TimeSpan.FromMinutes(1));
            if (admin is not null)
            {
                return new GuardedRedis(folder, port, prefix, server, admin);
            }

            // Another process may have taken the port between the look and the start.
            attempt.ShouldBeLessThan(3, server.Tail());
            await server.DisposeAsync();
        }
    }

    /// <summary>The address with a user's name and password, as an operator gives it to a program.</summary>
    public string UrlOf(string user) => $"redis://{user}:{UserFile.PasswordOf(user)}@127.0.0.1:{Port}";

    /// <summary>A connection as one of the users.</summary>
    public Task<RespConnection> LogInAsync(string user) => LogInAsync(Port, user, UserFile.PasswordOf(user));

    /// <summary>A connection as a user of another name.</summary>
    public Task<RespConnection> LogInAsync(string user, string password) => LogInAsync(Port, user, password);

    /// <summary>Begins to count anew.</summary>
    public async Task ForgetAsync()
    {
        await AdminAsync("ACL", "LOG", "RESET");
        await AdminAsync("CONFIG", "RESETSTAT");
    }

    /// <summary>Runs a command as admin.</summary>
    public Task<object?> AdminAsync(params string[] command) => boss.ExecuteAsync(command);

    /// <summary>Commands that clients and scripts have run since the start, subcommands as <c>config|get</c>.</summary>
    public async Task<IReadOnlySet<string>> UsedCommandsAsync()
    {
        var text = (string)(await AdminAsync("INFO", "commandstats"))!;
        return text.Split("\r\n")
            .Where(line => line.StartsWith("cmdstat_", StringComparison.Ordinal) && !line.Contains(":calls=0,", StringComparison.Ordinal))
            .Select(line => line["cmdstat_".Length..line.IndexOf(':', StringComparison.Ordinal)])
            .ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>What Redis refused: user, what, and why.</summary>
    public async Task<IReadOnlyList<string>> RefusalsAsync() =>
        [.. ((object?[])(await AdminAsync("ACL", "LOG"))!).Select(entry => string.Join(' ', ((object?[])entry!).Take(10)))];

    /// <summary>Who is connected, by name of the user.</summary>
    public async Task<IReadOnlySet<string>> ConnectedUsersAsync() =>
        ((string)(await AdminAsync("CLIENT", "LIST"))!).Split([' ', '\n'])
            .Where(word => word.StartsWith("user=", StringComparison.Ordinal))
            .Select(word => word["user=".Length..])
            .ToHashSet(StringComparer.Ordinal);

    public async ValueTask DisposeAsync()
    {
        boss.Dispose();
        await process.DisposeAsync();
        Directory.Delete(home, recursive: true);
    }

    private static async Task<RespConnection> LogInAsync(int port, string user, string password)
    {
        var connection = await RespConnection.ConnectAsync(port);
        await connection.ExecuteAsync(["AUTH", user, password]);
        return connection;
    }
}
