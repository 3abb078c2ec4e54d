using System.Threading.Channels;
using Maintenance.WebHost.Database;

namespace Maintenance.WebHost.Audit;

/// <summary>
/// Writes events in batches behind the requests, so that a slow database slows no log-in, and writing tells nothing by its time. While the database is
/// away it keeps the last events, up to a limit; each has its log line in any case.
/// </summary>
internal sealed class AuditTrail(IServiceScopeFactory scopes, TimeProvider clock, ILogger<AuditTrail> logger) : BackgroundService, IAuditTrail
{
    private const int Capacity = 20_000;
    private const int Batch = 200;
    private const int MaxAgentLength = 256;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    // Behind the request's answer, not beside it; and a busy host writes one batch where it would write many.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(50);

    private readonly Channel<AuditRecord> queue = Channel.CreateBounded<AuditRecord>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private bool failing;

    public void Record(AuditEvent what)
    {
        var record = Prepare(what);
        if (!queue.Writer.TryWrite(record))
        {
            logger.AuditRowLost(record.Action);
        }
    }

    public AuditRecord Prepare(AuditEvent what)
    {
        logger.Audit(what.Action, what.Succeeded ? "success" : "failure", what.UserId, what.ActorId, what.SessionId, what.Address, what.Detail);
        return new AuditRecord
        {
            At = clock.GetUtcNow(),
            Action = what.Action,
            Succeeded = what.Succeeded,
            UserId = what.UserId,
            ActorId = what.ActorId,
            SessionId = what.SessionId,
            Address = what.Address?.ToString(),
            UserAgent = Plain(what.UserAgent),
            Detail = what.Detail,
        };
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var waiting = new List<AuditRecord>(Batch);
        try
        {
            while (waiting.Count > 0 || await queue.Reader.WaitToReadAsync(stoppingToken))
            {
                if (waiting.Count + queue.Reader.Count < Batch)
                {
                    await Task.Delay(Gathering, clock, stoppingToken);
                }

                Take(waiting);
                if (!await WriteAsync(waiting, stoppingToken))
                {
                    await Task.Delay(Pause, clock, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The rest is written below.
        }

        queue.Writer.TryComplete();
        do
        {
            Take(waiting);
        }
        while (waiting.Count > 0 && await WriteAsync(waiting, CancellationToken.None));
        if (waiting.Count > 0)
        {
            logger.AuditRowsLeft(waiting.Count + queue.Reader.Count);
        }
    }

    private static string? Plain(string? text) =>
        text is null ? null : new string([.. text.Take(MaxAgentLength).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c)]);

    private void Take(List<AuditRecord> waiting)
    {
        while (waiting.Count < Batch && queue.Reader.TryRead(out var record))
        {
            waiting.Add(record);
        }
    }

    // True: there is none left of them. False: wait, then try again.
    private async Task<bool> WriteAsync(List<AuditRecord> records, CancellationToken cancellationToken)
    {
        try
        {
            await SaveAsync(records, cancellationToken);
            records.Clear();
            if (failing)
            {
                failing = false;
                logger.AuditWrittenAgain();
            }

            return true;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            if (DatabaseErrors.IsUnavailable(exception))
            {
                if (!failing)
                {
                    failing = true;
                    logger.AuditNotWritten(exception.GetBaseException().Message);
                }

                return false;
            }
        }

        return await WriteSinglyAsync(records, cancellationToken);
    }

    // One row that the database does not take shall not cost the others.
    private async Task<bool> WriteSinglyAsync(List<AuditRecord> records, CancellationToken cancellationToken)
    {
        while (records.Count > 0)
        {
            try
            {
                await SaveAsync(records[..1], cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                if (DatabaseErrors.IsUnavailable(exception))
                {
                    return false;
                }

                logger.AuditRowRefused(records[0].Action, exception.GetBaseException().GetType().Name);
            }

            records.RemoveAt(0);
        }

        return true;
    }

    private async Task SaveAsync(List<AuditRecord> records, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<AuthDbContext>();
        database.AuditEvents.AddRange(records);
        await database.SaveChangesAsync(cancellationToken);
    }
}
