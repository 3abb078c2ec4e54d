using System.Collections.Concurrent;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.Analytics;

/// <summary>
/// Records log-ins, continuations, rotations and log-outs of another session store, after they happened. What cannot be recorded fails none of them, and a
/// log-in does not wait for it.
/// </summary>
public sealed class RecordingSessionStore(
    ISessionStore inner, IAnalyticsStore analytics, IOptionsMonitor<AnalyticsOptions> options, ILogger<RecordingSessionStore> logger)
    : ISessionStore, IAsyncDisposable, IDisposable
{
    private readonly ConcurrentDictionary<Task, byte> sent = new();

    /// <summary>Returns when what has been sent has its answer, or its deadline has passed. Never fails.</summary>
    public Task DrainAsync() => Task.WhenAll(sent.Keys);

    /// <summary>A host that ends loses no record.</summary>
    public ValueTask DisposeAsync() => new(DrainAsync());

    /// <summary>Waits for nothing.</summary>
    public void Dispose()
    {
    }

    /// <inheritdoc/>
    public async Task<IssuedSession> CreateAsync(NewSession session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        var issued = await inner.CreateAsync(session, cancellationToken).ConfigureAwait(false);
        if (session.Continues is { } from)
        {
            await RecordAsync(token => analytics.RecordContinuationAsync(session.UserId, from, issued.Session.Id, token)).ConfigureAwait(false);
            return issued;
        }

        // Sent, so that what this host asks next finds it; nobody waits for its answer to be logged in. Of a session that has ended by then nothing is recorded.
        var recording = RecordAsync(token => analytics.RecordLoginAsync(issued.Session, token));
        if (!recording.IsCompleted)
        {
            sent.TryAdd(recording, 0);
            _ = recording.ContinueWith(
                static (task, sent) => ((ConcurrentDictionary<Task, byte>)sent!).TryRemove(task, out _),
                sent,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }

        return issued;
    }

    /// <inheritdoc/>
    public Task<long?> GetGenerationAsync(string userId, CancellationToken cancellationToken) => inner.GetGenerationAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken) => inner.ValidateAsync(token, cancellationToken);

    /// <inheritdoc/>
    public Task<Session?> GetAsync(string userId, SessionId id, CancellationToken cancellationToken) => inner.GetAsync(userId, id, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Session>> ListAsync(string userId, CancellationToken cancellationToken) => inner.ListAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public Task<int> CountAsync(string userId, CancellationToken cancellationToken) => inner.CountAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public async Task<Revocation> RevokeAsync(string userId, SessionId id, CancellationToken cancellationToken)
    {
        var ended = await inner.RevokeAsync(userId, id, cancellationToken).ConfigureAwait(false);
        if (ended)
        {
            await RecordAsync(token => analytics.RecordEndAsync(userId, id, null, token)).ConfigureAwait(false);
        }

        return ended;
    }

    /// <inheritdoc/>
    public async Task<RevokedSessions> RevokeAllAsync(string userId, SessionId? except, CancellationToken cancellationToken)
    {
        var revoked = await inner.RevokeAllAsync(userId, except, cancellationToken).ConfigureAwait(false);
        await RecordAsync(token => analytics.RecordEndAsync(userId, null, revoked.KeptSession ? except : null, token)).ConfigureAwait(false);
        return revoked;
    }

    /// <inheritdoc/>
    public async Task<SessionRotation> RotateAsync(string? token, SessionChanges changes, CancellationToken cancellationToken)
    {
        var rotation = await inner.RotateAsync(token, changes, cancellationToken).ConfigureAwait(false);
        if (rotation.Issued is { } issued && SessionToken.TryParse(token, out var old))
        {
            await RecordAsync(none => analytics.RecordRotationAsync(issued.Session.UserId, old.Id, issued.Session.Id, none)).ConfigureAwait(false);
        }

        return rotation;
    }

    // Without the caller's token: it happened, and its caller is to hear so. The store's own deadline bounds the wait.
    private async Task RecordAsync(Func<CancellationToken, Task<bool>> record)
    {
        if (!options.CurrentValue.RecordSessions)
        {
            return;
        }

        try
        {
            await record(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // Whatever it is: nobody waits for a log-in's record, so nobody else would hear of it.
            logger.NotRecorded(exception.Message);
        }
    }
}
