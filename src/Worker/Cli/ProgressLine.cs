using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Cli;

/// <summary>One line on standard error that says how far long work is; only for a person at a terminal.</summary>
internal sealed class ProgressLine : IProgress<JobProgress>, IDisposable
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();
    private long written;
    private int width;

    public static ProgressLine? ForTerminal() => Console.IsErrorRedirected ? null : new ProgressLine();

    public void Report(JobProgress value)
    {
        lock (gate)
        {
            if (written != 0 && TimeProvider.System.GetElapsedTime(written) < Shortest)
            {
                return;
            }

            written = TimeProvider.System.GetTimestamp();
            Write(value.Total is { } total and > 0
                ? $"{value.Step}: {value.Done:N0} of {total:N0} ({100.0 * value.Done / total:0} %)"
                : $"{value.Step}: {value.Done:N0}");
        }
    }

    public void Clear()
    {
        lock (gate)
        {
            if (width > 0)
            {
                Write("");
                Console.Error.Write('\r');
                width = 0;
            }
        }
    }

    public void Dispose() => Clear();

    private void Write(string text)
    {
        Console.Error.Write('\r' + text.PadRight(width));
        width = text.Length;
    }
}
