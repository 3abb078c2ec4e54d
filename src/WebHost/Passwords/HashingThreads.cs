using System.Threading.Channels;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Passwords;

/// <summary>The hashing threads have no room. Nothing was decided about the password.</summary>
internal sealed class HashingSaturatedException() : Exception("More passwords wait to be hashed than this host takes on.");

/// <summary>
/// Threads that do nothing but hash. A hash takes a processor for a tenth of a second on purpose; on the thread pool a burst of log-ins would stop every
/// other request. What exceeds the queue is refused at once.
/// </summary>
internal sealed class HashingThreads : IDisposable
{
    private readonly Channel<Action> queue;
    private readonly TimeSpan longestWait;
    private readonly TimeProvider clock;

    public HashingThreads(IOptions<PasswordSettings> options, TimeProvider clock)
    {
        var settings = options.Value;
        this.clock = clock;
        longestWait = settings.HashQueueTimeout;
        // What goes on when something comes is only the waking of a thread that waits, which needs no other thread's help.
        queue = Channel.CreateBounded<Action>(new BoundedChannelOptions(settings.MaxWaitingHashes) { AllowSynchronousContinuations = true });
        var threads = settings.MaxParallelHashes > 0 ? settings.MaxParallelHashes : Environment.ProcessorCount;
        for (var i = 0; i < threads; i++)
        {
            new Thread(Work) { IsBackground = true, Name = $"password hashing {i}", Priority = ThreadPriority.BelowNormal }.Start();
        }
    }

    /// <summary>Runs work on one of the threads.</summary>
    /// <exception cref="HashingSaturatedException">The queue is full, or the turn did not come in time.</exception>
    public async Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var given = clock.GetTimestamp();
        if (!queue.Writer.TryWrite(() => Run(work, given, done, cancellationToken)))
        {
            throw new HashingSaturatedException();
        }

        return await done.Task.WaitAsync(cancellationToken);
    }

    public void Dispose() => queue.Writer.TryComplete();

    private void Run<T>(Func<T> work, long given, TaskCompletionSource<T> done, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            done.TrySetCanceled(cancellationToken);
        }
        else if (clock.GetElapsedTime(given) > longestWait)
        {
            done.TrySetException(new HashingSaturatedException());
        }
        else
        {
            try
            {
                done.TrySetResult(work());
            }
            catch (Exception exception)
            {
                done.TrySetException(exception);
            }
        }
    }

    private void Work()
    {
        // A thread of its own may block.
        while (queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (queue.Reader.TryRead(out var work))
            {
                work();
            }
        }
    }
}
