using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Maintenance.WebHost.Mail;

/// <summary>
/// Does behind the request what only some requests need: looking an address up, making a token, sending mail. So an answer takes the same time whether
/// there is an account or not. A message that fails is tried again later, beside the others; at the end of the host what is waiting gets the time that is left.
/// What tells an owner of something that has happened has a queue and workers of its own: nobody can ask for it again, so nothing that strangers ask for
/// may be in its way.
/// </summary>
internal sealed class Outbox(IServiceScopeFactory scopes, TimeProvider clock, ILogger<Outbox> logger) : BackgroundService
{
    private const int Capacity = 5_000;
    private const int Workers = 4;
    private const int NoticeWorkers = 2;

    // Servers that ask for another try ("greylisting") take a message after five minutes at most; a link in it is to live longer than all of this.
    internal static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5)];

    private readonly MailQueue queue = new();
    private readonly MailQueue notices = new();
    private readonly CancellationTokenSource ending = new();
    private readonly Lock gate = new();

    /// <summary>Takes a job. False: there is no room; the caller still answers as always, because the answer may not depend on the account.</summary>
    /// <param name="kind">Name of the mail.</param>
    /// <param name="compose">Makes the message, or null when there is none to send. Called again when it fails.</param>
    public bool Post(string kind, Func<IServiceProvider, CancellationToken, Task<Email?>> compose) => Post(new MailJob(queue, kind, compose));

    /// <summary>Takes a message that tells its owner of something that has happened.</summary>
    public void Tell(Email email) => Post(new MailJob(notices, email.Kind, (_, _) => Task.FromResult<Email?>(email)) { Email = email });

    /// <summary>Takes no more, and delivers what waits until the time for the shutdown is over; what waits for another try has it now.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await ending.CancelAsync();
        foreach (var job in queue.Delayed.Keys.Concat(notices.Delayed.Keys))
        {
            Again(job);
        }

        lock (gate)
        {
            queue.Jobs.Writer.TryComplete();
            notices.Jobs.Writer.TryComplete();
        }

        if (ExecuteTask is { } work)
        {
            await work.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await base.StopAsync(cancellationToken);
        while (notices.Jobs.Reader.TryRead(out var left) || queue.Jobs.Reader.TryRead(out left))
        {
            logger.MailDropped(left.Kind);
        }
    }

    public override void Dispose()
    {
        ending.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Repeat(queue, Workers).Concat(Enumerable.Repeat(notices, NoticeWorkers)).Select(waiting => WorkAsync(waiting, stoppingToken)));

    private bool Post(MailJob job)
    {
        var taken = job.Queue.Jobs.Writer.TryWrite(job);
        if (!taken)
        {
            logger.MailDropped(job.Kind);
        }

        return taken;
    }

    private async Task WorkAsync(MailQueue waiting, CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var job in waiting.Jobs.Reader.ReadAllAsync(stoppingToken))
            {
                await DeliverAsync(job, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host's time is over.
        }
    }

    private async Task DeliverAsync(MailJob job, CancellationToken cancellationToken)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            job.Email ??= await job.Compose(scope.ServiceProvider, cancellationToken);
            if (job.Email is { } email)
            {
                await scope.ServiceProvider.GetRequiredService<IEmailSender>().SendAsync(email, cancellationToken);
            }
        }
        catch (MailRefusedException exception)
        {
            logger.MailRefused(job.Kind, exception.Message);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Failed(job, exception);
        }
    }

    private void Failed(MailJob job, Exception exception)
    {
        // Only our own texts: those of others may hold an address.
        var reason = exception is MailDeferredException ? exception.Message : exception.GetType().Name;
        if (job.Failures >= Pauses.Length)
        {
            logger.MailGivenUp(job.Kind, job.Failures + 1, reason);
        }
        else if (ending.IsCancellationRequested || job.Queue.Delayed.Count >= 2 * Capacity)
        {
            logger.MailDropped(job.Kind);
        }
        else
        {
            var pause = Pauses[job.Failures++];
            job.Queue.Delayed[job] = 0;
            logger.MailNotSent(job.Kind, reason, pause);
            _ = AgainAsync(job, pause);
        }
    }

    private async Task AgainAsync(MailJob job, TimeSpan pause)
    {
        await Task.Delay(pause, clock, ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Again(job);
    }

    // Once, whoever comes first: the end of its pause or the end of the host, which closes the queue after it and not in the middle.
    private void Again(MailJob job)
    {
        lock (gate)
        {
            if (job.Queue.Delayed.TryRemove(job, out _))
            {
                Post(job);
            }
        }
    }

    /// <summary>What waits, and what waits for another try. Each queue has room of its own for both.</summary>
    private sealed class MailQueue
    {
        public Channel<MailJob> Jobs { get; } = Channel.CreateBounded<MailJob>(new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.Wait });

        public ConcurrentDictionary<MailJob, byte> Delayed { get; } = [];
    }

    private sealed class MailJob(MailQueue queue, string kind, Func<IServiceProvider, CancellationToken, Task<Email?>> compose)
    {
        /// <summary>Where it waits.</summary>
        public MailQueue Queue => queue;

        public string Kind => kind;

        public Func<IServiceProvider, CancellationToken, Task<Email?>> Compose => compose;

        /// <summary>Composed once: another try sends the same token.</summary>
        public Email? Email { get; set; }

        public int Failures { get; set; }
    }
}
