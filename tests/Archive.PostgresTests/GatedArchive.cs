using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Archive.PostgresTests;

/// <summary>Passes every call on.</summary>
internal abstract class DelegatingArchive(ISessionArchive inner) : ISessionArchive
{
    public virtual Task<long?> GetGenerationAsync(UserReference user, CancellationToken cancellationToken) => inner.GetGenerationAsync(user, cancellationToken);

    public virtual Task<Session?> FindAsync(UserReference user, SessionId id, CancellationToken cancellationToken) => inner.FindAsync(user, id, cancellationToken);

    public Task<IReadOnlyList<Session>> ListAsync(UserReference user, CancellationToken cancellationToken) => inner.ListAsync(user, cancellationToken);

    public virtual Task<bool> AddAsync(Session session, IReadOnlyCollection<SessionId> evicted, CancellationToken cancellationToken) =>
        inner.AddAsync(session, evicted, cancellationToken);

    public virtual Task BeginRotationAsync(UserReference user, SessionId old, TimeSpan grace, CancellationToken cancellationToken) =>
        inner.BeginRotationAsync(user, old, grace, cancellationToken);

    public virtual Task<bool> CompleteRotationAsync(SessionId old, Session rotated, TimeSpan grace, CancellationToken cancellationToken) =>
        inner.CompleteRotationAsync(old, rotated, grace, cancellationToken);

    public virtual Task<ArchivedRevocation> RevokeAsync(UserReference user, SessionId id, TimeSpan keep, CancellationToken cancellationToken) =>
        inner.RevokeAsync(user, id, keep, cancellationToken);

    public virtual Task<long> RevokeAllAsync(UserReference user, long above, SessionId? except, TimeSpan keep, CancellationToken cancellationToken) =>
        inner.RevokeAllAsync(user, above, except, keep, cancellationToken);

    public Task AdvanceGenerationAsync(UserReference user, long generation, SessionId? except, TimeSpan keep, CancellationToken cancellationToken) =>
        inner.AdvanceGenerationAsync(user, generation, except, keep, cancellationToken);

    public Task TouchAsync(IReadOnlyCollection<SessionTouch> touches, CancellationToken cancellationToken) => inner.TouchAsync(touches, cancellationToken);

    public IAsyncEnumerable<ArchiveChange> ChangesSinceAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
        inner.ChangesSinceAsync(since, cancellationToken);

    public Task<int> EraseAsync(UserReference user, TimeSpan keep, CancellationToken cancellationToken) => inner.EraseAsync(user, keep, cancellationToken);

    public Task<long> CountForgettableAsync(TimeSpan detailsLife, CancellationToken cancellationToken) => inner.CountForgettableAsync(detailsLife, cancellationToken);

    public Task<int> ForgetAsync(TimeSpan detailsLife, int atMost, CancellationToken cancellationToken) => inner.ForgetAsync(detailsLife, atMost, cancellationToken);

    public Task<long> CountExpiredAsync(CancellationToken cancellationToken) => inner.CountExpiredAsync(cancellationToken);

    public virtual Task<int> DeleteExpiredAsync(int atMost, CancellationToken cancellationToken) => inner.DeleteExpiredAsync(atMost, cancellationToken);
}

/// <summary>An archive whose calls can be stopped at, to decide in which order things happen.</summary>
internal sealed class GatedArchive(ISessionArchive inner) : DelegatingArchive(inner)
{
    private int finds;

    /// <summary>Awaited after a session was read and before the reader hears of it.</summary>
    public Func<Task>? AfterFind { get; set; }

    /// <summary>Awaited after a revocation of any kind was committed and before its caller hears of it.</summary>
    public Func<Task>? AfterRevoke { get; set; }

    /// <summary>Awaited before a session is written.</summary>
    public Func<Task>? BeforeAdd { get; set; }

    /// <summary>Awaited before the second half of a rotation is written.</summary>
    public Func<Task>? BeforeComplete { get; set; }

    /// <summary>Reads of single sessions.</summary>
    public int Finds => Volatile.Read(ref finds);

    public override async Task<long?> GetGenerationAsync(UserReference user, CancellationToken cancellationToken)
    {
        var generation = await base.GetGenerationAsync(user, cancellationToken);
        await WaitAsync(AfterFind);
        return generation;
    }

    public override async Task<Session?> FindAsync(UserReference user, SessionId id, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref finds);
        var found = await base.FindAsync(user, id, cancellationToken);
        await WaitAsync(AfterFind);
        return found;
    }

    public override async Task<bool> AddAsync(Session session, IReadOnlyCollection<SessionId> evicted, CancellationToken cancellationToken)
    {
        await WaitAsync(BeforeAdd);
        return await base.AddAsync(session, evicted, cancellationToken);
    }

    public override async Task BeginRotationAsync(UserReference user, SessionId old, TimeSpan grace, CancellationToken cancellationToken)
    {
        await base.BeginRotationAsync(user, old, grace, cancellationToken);
        await WaitAsync(AfterRevoke);
    }

    public override async Task<bool> CompleteRotationAsync(SessionId old, Session rotated, TimeSpan grace, CancellationToken cancellationToken)
    {
        await WaitAsync(BeforeComplete);
        return await base.CompleteRotationAsync(old, rotated, grace, cancellationToken);
    }

    public override async Task<ArchivedRevocation> RevokeAsync(UserReference user, SessionId id, TimeSpan keep, CancellationToken cancellationToken)
    {
        var revoked = await base.RevokeAsync(user, id, keep, cancellationToken);
        await WaitAsync(AfterRevoke);
        return revoked;
    }

    public override async Task<long> RevokeAllAsync(UserReference user, long above, SessionId? except, TimeSpan keep, CancellationToken cancellationToken)
    {
        var generation = await base.RevokeAllAsync(user, above, except, keep, cancellationToken);
        await WaitAsync(AfterRevoke);
        return generation;
    }

    private static Task WaitAsync(Func<Task>? gate) => gate?.Invoke() ?? Task.CompletedTask;
}

/// <summary>Stops whoever passes first until it is opened; those after the first pass.</summary>
internal sealed class Gate
{
    private readonly TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int passes;

    public Task PassAsync()
    {
        if (Interlocked.Increment(ref passes) > 1)
        {
            return Task.CompletedTask;
        }

        reached.SetResult();
        return opened.Task;
    }

    /// <summary>Returns when somebody stands at the gate.</summary>
    public Task ReachedAsync() => reached.Task.WaitAsync(TimeSpan.FromSeconds(60));

    public void Open() => opened.SetResult();
}
