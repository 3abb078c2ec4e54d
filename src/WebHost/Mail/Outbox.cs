using System.Threading.Channels;

namespace Maintenance.WebHost.Mail;

/// <summary>
/// Does behind the request what only some requests need: looking an address up, making a token, sending mail. So an answer takes the same time whether
/// there is an account or not.
/// </summary>
internal sealed class Outbox(IServiceScopeFactory scopes, TimeProvider clock, ILogger<Outbox> logger) : BackgroundService
{
    private const int Capacity = 5_000;
    private const int Tries = 3;
    private const int Workers = 4;

    private readonly Channel<MailJob> queue = Channel.CreateBounded<MailJob>(new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.Wait });

    /// <summary>Takes a job. False: there is no room; the caller still answers as always, because the answer may not depend on the account.</summary>
    /// <param name="kind">Name of the mail.</param>
    /// <param name="compose">Makes the message, or null when there is none to send. Called again when it fails.</param>
    public bool Post(string kind, Func<IServiceProvider, CancellationToken, Task<Email?>> compose)
    {
        var taken = queue.Writer.TryWrite(new MailJob(kind, compose));
        if (!taken)
        {
            logger.MailDropped(kind);
        }

        return taken;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => WorkAsync(stoppingToken)));

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var job in queue.Reader.ReadAllAsync(stoppingToken))
            {
                await DeliverAsync(job, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host ends. Whoever waits for mail asks again.
        }
    }

    private async Task DeliverAsync(MailJob job, CancellationToken cancellationToken)
    {
        Email? email = null;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                email ??= await job.Compose(scope.ServiceProvider, cancellationToken);
                if (email is not null)
                {
                    await scope.ServiceProvider.GetRequiredService<IEmailSender>().SendAsync(email, cancellationToken);
                }

                return;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                logger.MailNotSent(job.Kind, exception.GetType().Name);
                if (attempt == Tries)
                {
                    return;
                }
            }

            await Task.Delay(TimeSpan.FromSeconds(attempt * 2), clock, cancellationToken);
        }
    }

    private sealed record MailJob(string Kind, Func<IServiceProvider, CancellationToken, Task<Email?>> Compose);
}
