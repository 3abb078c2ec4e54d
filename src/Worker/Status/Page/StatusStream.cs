using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;

namespace Maintenance.Worker.Status.Page;

/// <summary>Tells open pages that something has changed. Only a version is sent; the page then asks for itself, with its own rights.</summary>
internal sealed class StatusStream(StatusReader reader, IHostApplicationLifetime lifetime, TimeProvider timeProvider)
{
    /// <summary>The name of the event.</summary>
    public const string Event = "status";

    // A page each for a large team; more are a fault, and they fall back to asking now and then.
    private const int MostOpen = 64;

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    // Proxies close what is silent for a minute.
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);
    private static readonly TimeSpan Reconnection = TimeSpan.FromSeconds(3);

    private int open;

    /// <summary>Takes a place; false if all are taken.</summary>
    public bool TryOpen()
    {
        if (Interlocked.Increment(ref open) <= MostOpen)
        {
            return true;
        }

        Interlocked.Decrement(ref open);
        return false;
    }

    /// <summary>The versions, the present one first. Ends with the request, with the host, and after an hour; the browser then connects again.</summary>
    public async IAsyncEnumerable<SseItem<string>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        using var timer = new PeriodicTimer(LookInterval, timeProvider);
        var started = timeProvider.GetTimestamp();
        var told = started;
        string? last = null;
        try
        {
            do
            {
                var version = reader.Version();
                if (version != last || timeProvider.GetElapsedTime(told) >= KeepAlive)
                {
                    yield return new SseItem<string>(version, Event) { ReconnectionInterval = Reconnection };
                    last = version;
                    told = timeProvider.GetTimestamp();
                }
            }
            while (timeProvider.GetElapsedTime(started) < Longest && await NextAsync(timer, end.Token));
        }
        finally
        {
            Interlocked.Decrement(ref open);
        }
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
}
