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
    private Task<ConnectionMultiplexer>? connecting;

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

    /// <summary>The primary, by the first Sentinel that knows it.</summary>
    /// <exception cref="NoPrimaryException">No Sentinel answered, or none knows the service name.</exception>
    public async Task<(string Host, int Port)> PrimaryAsync()
    {
        var sentinels = await Current().ConfigureAwait(false);
        foreach (var server in sentinels.GetEndPoints().Select(endpoint => sentinels.GetServer(endpoint)))
        {
            try
            {
                var endpoint = await server.SentinelGetMasterAddressByNameAsync(options.Sentinel.ServiceName)
                    .WaitAsync(AnswerTimeout, timeProvider, stopping.Token).ConfigureAwait(false);
                switch (endpoint)
                {
                    case IPEndPoint address: return (address.Address.ToString(), address.Port);
                    case DnsEndPoint name: return (name.Host, name.Port);
                    default: break;
                }
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                // The next one may know.
            }
        }

        throw new NoPrimaryException(
            $"No Sentinel of {RedisOptions.Section}:Sentinel:Endpoints names a primary for '{options.Sentinel.ServiceName}' ({RedisOptions.Section}:Sentinel:ServiceName).");
    }

    /// <summary>Stops asking.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
        if (connecting is { IsCompletedSuccessfully: true })
        {
            var multiplexer = await connecting.ConfigureAwait(false);
            _ = Task.Run(() => multiplexer.CloseAsync(allowCommandsToComplete: false));
        }

        stopping.Dispose();
    }

    private Task<ConnectionMultiplexer> Current()
    {
        lock (gate)
        {
            // A failed attempt (a name that did not resolve) is no reason not to try again.
            return connecting is null or { IsFaulted: true }
                ? connecting = Task.Run(() => ConnectionMultiplexer.ConnectAsync(RedisConfiguration.BuildSentinels(options)))
                : connecting;
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
            catch (Exception exception) when (exception is NoPrimaryException or RedisException or TimeoutException)
            {
                // Calls say that there is no primary; the next round asks again.
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
