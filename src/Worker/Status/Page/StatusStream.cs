using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;

namespace Maintenance.Worker.Status.Page;

/// <summary>Tells open pages that something has changed. Only a version is sent; the page then asks for itself, with its own rights.</summary>
/// <param name="version">Says what pages show now; another text means that something has changed.</param>
/// <param name="lifetime">Ends the streams with the host.</param>
/// <param name="timeProvider">Paces them.</param>
internal sealed class StatusStream(Func<string> version, IHostApplicationLifetime lifetime, TimeProvider timeProvider)
{
    /// <summary>The name of the event.</summary>
    public const string Event = "status";

    /// <summary>A page each for a large team; more are a fault, and they fall back to asking now and then.</summary>
    public const int MostOpen = 64;

    /// <summary>How often it looks for a change.</summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>Longest silence: proxies close what is silent for a minute.</summary>
    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(20);

    /// <summary>Longest life; the browser then connects again, by what its cookie is worth then.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private static readonly TimeSpan Reconnection = TimeSpan.FromSeconds(3);

    private int open;

    /// <summary>Takes a place, which whoever took it gives back by disposing it; null if all are taken.</summary>
    public IDisposable? TryOpen()
    {
        if (Interlocked.Increment(ref open) <= MostOpen)
        {
            return new Place(this);
        }

        Interlocked.Decrement(ref open);
        return null;
    }

    /// <summary>The versions, the present one first. Ends with the request, with the host, and after an hour; the browser then connects again.</summary>
    public async IAsyncEnumerable<SseItem<string>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        using var timer = new PeriodicTimer(LookInterval, timeProvider);
        var started = timeProvider.GetTimestamp();
        var told = started;
        string? last = null;
        do
        {
            var now = version();
            if (now != last || timeProvider.GetElapsedTime(told) >= KeepAlive)
            {
                yield return new SseItem<string>(now, Event) { ReconnectionInterval = Reconnection };
                last = now;
                told = timeProvider.GetTimestamp();
            }
        }
        while (timeProvider.GetElapsedTime(started) < Longest && await NextAsync(timer, end.Token));
    }

    private static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken end)
    {
        try
        {
            return await timer.WaitForNextTickAsync(end);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private sealed class Place(StatusStream stream) : IDisposable
    {
        private int taken = 1;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref taken, 0) == 1)
            {
                Interlocked.Decrement(ref stream.open);
            }
        }
    }
}
