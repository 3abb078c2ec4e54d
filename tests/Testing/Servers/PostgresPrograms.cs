namespace Maintenance.Testing;

/// <summary>The programs of the newest installed PostgreSQL, and the user that they run as.</summary>
internal sealed record PostgresPrograms(string Folder, string Version)
{
    internal const string Superuser = "postgres";
    internal const string Password = "only+of+tests";

    private static readonly SemaphoreSlim TemplateTurn = new(1, 1);
    private static readonly TimeSpan InitDeadline = TimeSpan.FromMinutes(3);

    internal static PostgresPrograms Find()
    {
        const string root = "/usr/lib/postgresql";
        var found = (Directory.Exists(root) ? Directory.GetDirectories(root) : [])
            .Where(folder => File.Exists(Path.Combine(folder, "bin", "initdb")))
            .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), out var version) ? version : 0)
            .FirstOrDefault()
            ?? throw new FileNotFoundException("PostgreSQL is not installed; './dev test' installs what tests need.");
        return new PostgresPrograms(Path.Combine(found, "bin"), Path.GetFileName(found));
    }

    /// <summary>Puts a new cluster into <c>data</c> under a folder. The files of initdb are kept as a template, because it takes seconds.</summary>
    internal async Task CreateClusterAsync(string folder)
    {
        await OwnAsync(folder);
        await TemplateTurn.WaitAsync();
        try
        {
            var template = Path.Combine(Path.GetTempPath(), $"maintenance-postgres-template-{Version}-{Environment.UserName}");
            if (!Directory.Exists(template))
            {
                await MakeTemplateAsync(template);
            }

            await RunAsync("cp", ["-a", template, Data(folder)]);
        }
        finally
        {
            TemplateTurn.Release();
        }
    }

    internal ChildProcess StartServer(string folder, int port) => StartAsOwner(
        "postgres",
        [
            "-D", Data(folder), "-p", $"{port}",
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
            "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=16MB", "-c", "max_connections=100",
        ],
        folder);

    private static string Data(string folder) => Path.Combine(folder, "data");

    private static async Task RunAsync(string program, IEnumerable<string> arguments)
    {
        await using var process = ChildProcess.Start(program, arguments);
        await EndedWellAsync(process);
    }

    private static async Task EndedWellAsync(ChildProcess process)
    {
        if (await process.WaitForExitAsync(InitDeadline) != 0)
        {
            throw new InvalidOperationException($"{process.Command} ended with {process.ExitCode}. {process.Tail()}");
        }
    }

    // The server's user must be able to enter a folder that root made.
    private static Task OwnAsync(string folder) =>
        Environment.IsPrivilegedProcess ? RunAsync("chown", [Superuser, folder]) : Task.CompletedTask;

    private async Task MakeTemplateAsync(string template)
    {
        var work = Directory.CreateTempSubdirectory("maintenance-postgres-initdb-").FullName;
        try
        {
            var password = Path.Combine(work, "password");
            await File.WriteAllTextAsync(password, Password);
            await OwnAsync(work);
            await using (var initdb = StartAsOwner(
                "initdb",
                [
                    "-D", Data(work), "-U", Superuser, "--pwfile", password, "--auth", "scram-sha-256",
                    "--encoding", "UTF8", "--locale", "C.UTF-8", "--wal-segsize", "1", "--no-sync",
                ],
                work))
            {
                await EndedWellAsync(initdb);
            }

            // Under its final name only when complete; another process may have been faster.
            Directory.Move(Data(work), template);
        }
        catch (IOException) when (Directory.Exists(template))
        {
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private ChildProcess StartAsOwner(string program, string[] arguments, string workingDirectory)
    {
        var path = Path.Combine(Folder, program);
        return Environment.IsPrivilegedProcess
            // The kernel forgets the parent-death signal when the user changes, so it is set again after that.
            ? ChildProcess.Start(
                "setpriv",
                [$"--reuid={Superuser}", $"--regid={Superuser}", "--clear-groups", "--", "setpriv", "--pdeathsig", "KILL", "--", path, .. arguments],
                workingDirectory: workingDirectory)
            : ChildProcess.Start(path, arguments, workingDirectory: workingDirectory);
    }
}
