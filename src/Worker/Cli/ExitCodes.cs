namespace Maintenance.Worker.Cli;

/// <summary>Exit codes of the verbs.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>It failed, or did not happen.</summary>
    public const int Failed = 1;

    /// <summary>Wrong arguments or settings.</summary>
    public const int Usage = 2;

    /// <summary>A dry run found drift.</summary>
    public const int DriftFound = 3;

    /// <summary>Ctrl-C or SIGTERM ended a verb before it was done; 128 and the number of SIGINT, as shells have it.</summary>
    public const int Interrupted = 130;

    /// <summary><c>check</c>: healthy is <see cref="Done"/>.</summary>
    public const int Degraded = 1;

    /// <summary><c>check</c>.</summary>
    public const int Unhealthy = 2;
}
