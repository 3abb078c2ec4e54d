using System.Runtime.InteropServices;

namespace Maintenance.Testing;

/// <summary>Signals a test sends to a process; the values are Linux's.</summary>
public enum Signal
{
    /// <summary>No signal: the kernel only checks that the process exists.</summary>
    None = 0,

    /// <summary>SIGINT: what Ctrl-C sends.</summary>
    Interrupt = 2,

    /// <summary>SIGKILL: ends at once, nothing is flushed.</summary>
    Kill = 9,

    /// <summary>SIGTERM: asks for an orderly end.</summary>
    Terminate = 15,

    /// <summary>SIGCONT: goes on after <see cref="Stop"/>.</summary>
    Continue = 18,

    /// <summary>SIGSTOP: stands still with every connection open, as a frozen machine does.</summary>
    Stop = 19,
}

internal static partial class NativeSignals
{
    private const int NoSuchProcess = 3;

    /// <summary>Sends a signal; false if no such process exists (any more).</summary>
    internal static bool TrySend(int processId, Signal signal)
    {
        if (Kill(processId, (int)signal) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() == NoSuchProcess
            ? false
            : throw new InvalidOperationException($"kill({processId}, {signal}) failed: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int processId, int signal);
}
