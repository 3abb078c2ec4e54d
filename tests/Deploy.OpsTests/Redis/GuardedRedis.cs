using Maintenance.Testing;

namespace Maintenance.Deploy.OpsTests.Redis;

/// <summary>A real Redis on deploy/redis/redis.conf, on which a program's user is <c>default</c>, and an admin who can look.</summary>
internal sealed class GuardedRedis : IAsyncDisposable
{
    private readonly string home;
    private readonly RespConnection boss;

    private readonly string program;

    private GuardedRedis(RedisServer server, string folder, RespConnection admin, string user)
    {
        program = user;
        Server = server;
        home = folder;
        boss = admin;
    }

    public RedisServer Server { get; }

    public static async Task<GuardedRedis> StartAsync(string user)
    {
        var folder = Directory.CreateTempSubdirectory("maintenance-acl-").FullName;
        var users = Path.Combine(folder, "users.acl");
        // The fixture's PING is none of our programs' commands: their rights come after the start.
        await File.WriteAllTextAsync(users, UserFile.Unrestricted);
        var server = await RedisServer.StartAsync(new RedisServerOptions
        {
            Password = UserFile.ProgramPassword,
            PasswordIsInUserFile = true,
            // What follows the included file wins: only where it listens and writes.
            ConfigurationLines = [$"include {Path.Combine(UserFile.Folder, "redis.conf")}", "bind 127.0.0.1", $"aclfile {users}"],
        });
        var admin = await RespConnection.ConnectAsync(server.Port);
        await admin.ExecuteAsync(["AUTH", "admin", UserFile.AdminPassword]);
        var redis = new GuardedRedis(server, folder, admin, user);
        await redis.RestrictAsync();
        return redis;
    }

    /// <summary>Gives <c>default</c> the program's rights, and begins to count anew.</summary>
    public async Task RestrictAsync()
    {
        // Not ACL LOAD, which ends every connection.
        await AdminAsync(["ACL", "SETUSER", "default", "reset", "on", $">{UserFile.ProgramPassword}", .. UserFile.RightsOf(program)]);
        await AdminAsync("ACL", "LOG", "RESET");
        await AdminAsync("CONFIG", "RESETSTAT");
    }

    /// <summary>Lets <c>default</c> do everything, to prepare something.</summary>
    public Task UnrestrictAsync() => AdminAsync("ACL", "SETUSER", "default", "~*", "&*", "+@all");

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

    public async ValueTask DisposeAsync()
    {
        boss.Dispose();
        await Server.DisposeAsync();
        Directory.Delete(home, recursive: true);
    }
}
