using System.Net;
using StackExchange.Redis;

namespace Maintenance.Storage.Redis;

/// <summary>
/// Asks the Sentinels where the primary is: at each connect, and again at an interval, so that a move is followed also when the old primary goes on
/// answering. Their <c>+switch-master</c> message is not needed; it can be missed, and then somebody has to ask all the same.
/// </summary>
internal sealed class SentinelWatch : IAsyncDisposable
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(1);

    private readonly RedisOptions options;
    private readonly Action<(string Host, int Port)> answered;
    private readonly TimeProvider timeProvider;
    private readonly Lock gate = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly Task watching;
    private readonly Dictionary<string, Task<ConnectionMultiplexer>> connections = new(StringComparer.Ordinal);

    /// <summary>Starts to ask.</summary>
    /// <param name="options">Validated options with at least one Sentinel.</param>
    /// <param name="answered">Told each answer.</param>
    /// <param name="timeProvider">Clock.</param>
    public SentinelWatch(RedisOptions options, Action<(string Host, int Port)> answered, TimeProvider timeProvider)
    {
        this.options = options;
        this.answered = answered;
        this.timeProvider = timeProvider;
        watching = Task.Run(WatchAsync);
    }

    /// <summary>The primary, by the first Sentinel of the list that knows it. All are asked at once, so that dead ones cost one <see cref="AnswerTimeout"/> together.</summary>
    /// <exception cref="NoPrimaryException">No Sentinel answered, or none knows the service name.</exception>
    public async Task<(string Host, int Port)> PrimaryAsync()
    {
        foreach (var answer in options.Sentinel.Endpoints.Select(AskAsync).ToList())
        {
            switch (await answer.ConfigureAwait(false))
            {
                case IPEndPoint address: return (address.Address.ToString(), address.Port);
                case DnsEndPoint name: return (name.Host, name.Port);
                default: break;
            }
        }

        throw new NoPrimaryException(
            $"No Sentinel of {RedisOptions.Section}:Sentinel:Endpoints names a primary for '{options.Sentinel.ServiceName}' ({RedisOptions.Section}:Sentinel:ServiceName).");
    }

    // What the Sentinel says; null: it does not know, or does not answer.
    private async Task<EndPoint?> AskAsync(string sentinel)
    {
        try
        {
            return await NameAsync(await Current(sentinel).WaitAsync(AnswerTimeout, timeProvider, stopping.Token).ConfigureAwait(false))
                .WaitAsync(AnswerTimeout, timeProvider, stopping.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !stopping.IsCancellationRequested)
        {
            // The next one may know.
            return null;
        }
    }

    private Task<EndPoint?> NameAsync(ConnectionMultiplexer sentinel) =>
        sentinel.GetServer(sentinel.GetEndPoints()[0]).SentinelGetMasterAddressByNameAsync(options.Sentinel.ServiceName);

    /// <summary>Stops asking.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
        Task<ConnectionMultiplexer>[] opened;
        lock (gate)
        {
            opened = [.. connections.Values];
        }

        foreach (var connection in opened)
        {
            _ = connection.ContinueWith(
                static closing => closing.Result.CloseAsync(allowCommandsToComplete: false),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion,
                TaskScheduler.Default);
        }

        stopping.Dispose();
    }

    // One connection each: a client that is given several waits at its start for the dead ones among them.
    private Task<ConnectionMultiplexer> Current(string sentinel)
    {
        lock (gate)
        {
            // A failed attempt (a name that did not resolve) is no reason not to try again.
            return connections.TryGetValue(sentinel, out var current) && !current.IsFaulted
                ? current
                : connections[sentinel] = Task.Run(() => ConnectionMultiplexer.ConnectAsync(RedisConfiguration.BuildSentinel(options, sentinel)));
        }
    }

    private async Task WatchAsync()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(options.Sentinel.PollInterval, timeProvider, stopping.Token).ConfigureAwait(false);
                answered(await PrimaryAsync().WaitAsync(options.ConnectTimeout, timeProvider, stopping.Token).ConfigureAwait(false));
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception)
            {
                // Whatever it was: calls say that there is no primary, and the next round asks again. A watch that ended would follow the primary no more.
            }
        }
    }
}
