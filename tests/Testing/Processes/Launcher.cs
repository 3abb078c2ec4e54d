using System.Collections.Concurrent;
using System.Diagnostics;

namespace Maintenance.Testing;

/// <summary>
/// Starts children so that they end with this process, even when it is killed: through <c>setpriv --pdeathsig KILL</c>.
/// The kernel sends that signal when the <em>thread</em> that forked ends, and pool threads do end; so one thread that
/// lives as long as the process starts them all.
/// </summary>
internal static class Launcher
{
    private static readonly string? SetPriv = OperatingSystem.IsLinux() ? FindProgram("setpriv") : null;
    private static readonly BlockingCollection<Action> Work = [];
    private static readonly ConcurrentDictionary<Process, byte> Running = new();

    static Launcher()
    {
        new Thread(Run) { IsBackground = true, Name = "child launcher" }.Start();
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            foreach (var process in Running.Keys)
            {
                KillQuietly(process);
            }
        };
    }

    internal static Process Start(ProcessStartInfo info, Action<Process> prepare)
    {
        if (SetPriv is not null)
        {
            info.ArgumentList.Insert(0, "--");
            info.ArgumentList.Insert(1, info.FileName);
            info.ArgumentList.Insert(0, "KILL");
            info.ArgumentList.Insert(0, "--pdeathsig");
            info.FileName = SetPriv;
        }

        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Work.Add(() =>
        {
            var process = new Process { StartInfo = info, EnableRaisingEvents = true };
            try
            {
                process.Exited += (_, _) => Running.TryRemove(process, out _);
                prepare(process);
                Running.TryAdd(process, 0);
                process.Start();
                if (process.HasExited)
                {
                    Running.TryRemove(process, out _);
                }

                started.SetResult(process);
            }
            catch (Exception e)
            {
                Running.TryRemove(process, out _);
                process.Dispose();
                started.SetException(e);
            }
        });
        return started.Task.GetAwaiter().GetResult();
    }

    /// <summary>Full path of a program in PATH or in the system folders, or null.</summary>
    internal static string? FindProgram(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Concat(["/usr/bin", "/usr/sbin", "/usr/local/bin"])
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);

    private static void Run()
    {
        foreach (var start in Work.GetConsumingEnumerable())
        {
            start();
        }
    }

    private static void KillQuietly(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended already, or never started.
        }
    }
}
