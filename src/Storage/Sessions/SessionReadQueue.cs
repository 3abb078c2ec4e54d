using Maintenance.Storage.Redis;
using StackExchange.Redis;

namespace Maintenance.Storage.Sessions;

/// <summary>
/// Lets requests that validate at the same moment share one flush to Redis: what has come in by the time a thread is free goes out together, so that an
/// idle host waits for nobody and a busy one pays the socket, the deadline and the breaker once for many. Nothing is kept: every read is sent after
/// it was asked for, so none can be older than a revocation that was answered before.
/// </summary>
internal sealed class SessionReadQueue(RedisConnection connection, RedisKeys keys) : IThreadPoolWorkItem
{
    // One flush stays small beside what else is on the connection: some 100 kB of replies.
    private const int MostAtOnce = 256;

    private readonly Lock gate = new();
    private List<Read> waiting = [];
    private bool scheduled;

    /// <summary>Reads a token's record, its user's generation and the record's remaining life.</summary>
    /// <exception cref="StorageUnavailableException">Redis did not answer, or is not serving.</exception>
    /// <exception cref="RedisServerException">Redis refused the command for another reason.</exception>
    public Task<SessionRead> ReadAsync(UserReference user, SessionId id, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var read = new Read(keys.Session(user, id), keys.Generation(user));
        bool first;
        lock (gate)
        {
            waiting.Add(read);
            first = !scheduled;
            scheduled = true;
        }

        if (first)
        {
            // Behind the requests that are there already: they join.
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        // The deadline ends the wait soon enough; a token costs more than that on the hot path, so only a caller that brings one pays for it.
        return cancellationToken.CanBeCanceled ? read.Task.WaitAsync(cancellationToken) : read.Task;
    }

    void IThreadPoolWorkItem.Execute()
    {
        List<Read> reads;
        lock (gate)
        {
            (reads, waiting) = (waiting, []);
            scheduled = false;
        }

        // On a cluster one command holds keys of one slot, and the node of another user may be the one that is down.
        var most = connection.IsCluster ? 1 : MostAtOnce;
        for (var from = 0; from < reads.Count; from += most)
        {
            _ = FlushAsync(reads.GetRange(from, Math.Min(most, reads.Count - from)));
        }
    }

    private async Task FlushAsync(List<Read> reads)
    {
        try
        {
            var answers = await connection.CallAsync(database => SendAsync(database, reads), CancellationToken.None).ConfigureAwait(false);
            for (var i = 0; i < reads.Count; i++)
            {
                reads[i].SetResult(answers[i]);
            }

            await CountAsync(reads.Count - 1, null).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            try
            {
                await CountAsync(reads.Count - 1, exception).ConfigureAwait(false);
            }
            finally
            {
                // Whatever it was, every caller must hear of it, or he waits for ever.
                foreach (var read in reads)
                {
                    read.TrySetException(exception);
                }
            }
        }
    }

    private ValueTask CountAsync(int callers, Exception? failure) => connection.Breaker?.CountAsync(callers, failure) ?? ValueTask.CompletedTask;

    // One MGET for all: it is atomic, so a revoke-all that keeps one session cannot be seen half done, and it answers nil instead of an error for a key
    // of another type.
    private static async Task<SessionRead[]> SendAsync(IDatabase database, List<Read> reads)
    {
        var names = new RedisKey[reads.Count * 2];
        for (var i = 0; i < reads.Count; i++)
        {
            names[i * 2] = reads[i].Record;
            names[(i * 2) + 1] = reads[i].Generation;
        }

        var batch = database.CreateBatch();
        var values = batch.StringGetAsync(names);
        var lives = new Task<TimeSpan?>[reads.Count];
        for (var i = 0; i < lives.Length; i++)
        {
            lives[i] = batch.KeyTimeToLiveAsync(reads[i].Record);
        }

        batch.Execute();
        await ((Task)Task.WhenAll([values, .. lives])).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var answers = await values.ConfigureAwait(false);
        var results = new SessionRead[reads.Count];
        for (var i = 0; i < results.Length; i++)
        {
            results[i] = new SessionRead((byte[]?)answers[i * 2], (byte[]?)answers[(i * 2) + 1], await MillisecondsAsync(lives[i]).ConfigureAwait(false), 0);
        }

        return results;
    }

    // Without a life, or with one longer than a TimeSpan holds, which the client throws at: of a damaged key.
    private static async ValueTask<long> MillisecondsAsync(Task<TimeSpan?> life)
    {
        try
        {
            return await life.ConfigureAwait(false) is { } left ? (long)left.TotalMilliseconds : -1;
        }
        catch (ArgumentOutOfRangeException)
        {
            return -1;
        }
    }

    private sealed class Read(RedisKey record, RedisKey generation) : TaskCompletionSource<SessionRead>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public RedisKey Record { get; } = record;

        public RedisKey Generation { get; } = generation;
    }
}
