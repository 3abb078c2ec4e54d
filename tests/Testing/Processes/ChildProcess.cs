using System.Diagnostics;

namespace Maintenance.Testing;

/// <summary>A child process whose lines are kept, that takes signals and ends with the test process.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Lock _gate = new();
    private readonly List<string> _output = [];
    private readonly List<string> _errors = [];
    private readonly List<string> _all = [];

    private ChildProcess(ProcessStartInfo info, string? input)
    {
        Command = string.Join(' ', info.ArgumentList.Prepend(info.FileName));
        _process = Launcher.Start(info, process =>
        {
            process.OutputDataReceived += (_, e) => Keep(_output, e.Data);
            process.ErrorDataReceived += (_, e) => Keep(_errors, e.Data);
        });
        Id = _process.Id;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        WriteInput(input);
    }

    /// <summary>Process id.</summary>
    public int Id { get; }

    /// <summary>The command line, for messages.</summary>
    public string Command { get; }

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Exit code once ended, else null; 128 plus the signal's number when a signal ended it.</summary>
    public int? ExitCode => _process.HasExited ? _process.ExitCode : null;

    /// <summary>Lines of standard output so far.</summary>
    public IReadOnlyList<string> Output => Copy(_output);

    /// <summary>Lines of standard error so far.</summary>
    public IReadOnlyList<string> Errors => Copy(_errors);

    /// <summary>Starts a program found in PATH.</summary>
    /// <param name="program">Name or full path.</param>
    /// <param name="arguments">Arguments, passed as they are.</param>
    /// <param name="environment">Variables set for the child; a null value removes one that would be inherited.</param>
    /// <param name="workingDirectory">Its folder; the test's when null.</param>
    /// <param name="input">Text for standard input, which is closed after it.</param>
    public static ChildProcess Start(
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null,
        string? workingDirectory = null,
        string? input = null)
    {
        var path = program.Contains('/', StringComparison.Ordinal) ? program : Launcher.FindProgram(program);
        var info = new ProcessStartInfo(path ?? throw new FileNotFoundException($"'{program}' is not installed; './dev test' installs what tests need."))
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = workingDirectory ?? string.Empty,
        };
        foreach (var argument in arguments)
        {
            info.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string?>(StringComparer.Ordinal))
        {
            info.Environment[name] = value;
        }

        return new ChildProcess(info, input);
    }

    /// <summary>Starts one of our own programs as built beside the tests, for example <c>Worker</c>.</summary>
    /// <param name="project">Folder under <c>src</c>.</param>
    /// <param name="arguments">Arguments, passed as they are.</param>
    /// <param name="environment">Variables set for the child; a null value removes one.</param>
    /// <param name="workingDirectory">Its folder; the test's when null.</param>
    public static ChildProcess StartOurs(
        string project,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null,
        string? workingDirectory = null) =>
        Start("dotnet", arguments.Prepend(BuiltProgram.PathOf(project)), environment, workingDirectory);

    /// <summary>Sends a signal. Stop returns only when the kernel shows the process as stopped; Kill is content with a process that has ended.</summary>
    /// <exception cref="InvalidOperationException">It has ended before any other signal; the message holds its last lines.</exception>
    public async Task SignalAsync(Signal signal)
    {
        if (!NativeSignals.TrySend(Id, signal) && signal != Signal.Kill)
        {
            throw new InvalidOperationException($"{Command} had ended before the signal {signal}. {Tail()}");
        }

        if (signal == Signal.Stop && OperatingSystem.IsLinux())
        {
            await Eventually.TrueAsync(() => HasExited || IsStopped(), TimeSpan.FromSeconds(30), $"SIGSTOP of {Command}");
        }
    }

    /// <summary>Awaits its end and the last of its output.</summary>
    /// <exception cref="TimeoutException">It runs on after the timeout (30 s by default); the message holds its last lines.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan? timeout = null)
    {
        var limit = timeout ?? DefaultTimeout;
        try
        {
            await _process.WaitForExitAsync().WaitAsync(limit);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{Command} still runs after {limit.TotalSeconds:0.#} s. {Tail()}", e);
        }

        return _process.ExitCode;
    }

    /// <summary>Returns the first line of either stream that matches, including lines written before the call.</summary>
    /// <exception cref="TimeoutException">No such line in time, or the process ended without it.</exception>
    public async Task<string> WaitForLineAsync(Func<string, bool> matches, TimeSpan? timeout = null)
    {
        var limit = timeout ?? DefaultTimeout;
        var started = Stopwatch.GetTimestamp();
        // Not its end alone: lines may still be on their way from a process that has just ended, and this waits for the ends of its streams too.
        var closed = _process.WaitForExitAsync();
        while (true)
        {
            var ended = closed.IsCompleted;
            var line = Copy(_all).FirstOrDefault(matches);
            if (line is not null)
            {
                return line;
            }

            if (ended)
            {
                throw new TimeoutException($"{Command} ended with {ExitCode} before the awaited line. {Tail()}");
            }

            if (Stopwatch.GetElapsedTime(started) > limit)
            {
                throw new TimeoutException($"{Command} did not write the awaited line within {limit.TotalSeconds:0.#} s. {Tail()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    /// <summary>The last lines of both streams, for a failure's message.</summary>
    public string Tail(int lines = 40) => "Last lines:\n" + string.Join('\n', Copy(_all).TakeLast(lines));

    /// <summary>Kills it if it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync().WaitAsync(DefaultTimeout);
        }

        _process.Dispose();
    }

    // Every thread: each stops by itself, and one may still send what it was about to.
    private bool IsStopped() => Directory.GetDirectories($"/proc/{Id}/task").All(thread =>
    {
        // The state is the field after the name, which stands in parentheses and may hold anything.
        var stat = File.ReadAllText(Path.Combine(thread, "stat"));
        return stat[stat.LastIndexOf(')') + 2] is 'T' or 't';
    });

    private void WriteInput(string? input)
    {
        try
        {
            if (input is not null)
            {
                _process.StandardInput.Write(input);
            }

            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading everything; its exit code and output tell more than this would.
        }
    }

    private void Keep(List<string> stream, string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_gate)
        {
            stream.Add(line);
            _all.Add(line);
        }
    }

    private string[] Copy(List<string> lines)
    {
        lock (_gate)
        {
            return [.. lines];
        }
    }
}
