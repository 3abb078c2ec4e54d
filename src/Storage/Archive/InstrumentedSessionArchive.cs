using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Archive;

/// <summary>Measures another archive.</summary>
public sealed class InstrumentedSessionArchive(ISessionArchive inner, AuthStoreMetrics metrics, TimeProvider timeProvider) : ISessionArchive
{
    /// <summary>Value of the label <c>store</c>.</summary>
    public const string StoreLabel = "archive";

    internal static readonly string[] Operations =
    [
        "generation", "find", "list", "add", "begin_rotation", "complete_rotation", "revoke", "revoke_all", "raise", "touch", "erase", "count_forgettable",
        "forget", "count_expired", "delete_expired",
    ];

    private readonly StoreMeter meter = new(StoreLabel, metrics, timeProvider);

    /// <inheritdoc/>
    public Task<long?> GetGenerationAsync(UserReference user, CancellationToken cancellationToken) =>
        meter.MeasureAsync("generation", () => inner.GetGenerationAsync(user, cancellationToken));

    /// <inheritdoc/>
    public async Task<Session?> FindAsync(UserReference user, SessionId id, CancellationToken cancellationToken)
    {
        var found = await meter.MeasureAsync("find", () => inner.FindAsync(user, id, cancellationToken)).ConfigureAwait(false);
        meter.Lookup(found is null ? "miss" : "hit");
        return found;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<Session>> ListAsync(UserReference user, CancellationToken cancellationToken) =>
        meter.MeasureAsync("list", () => inner.ListAsync(user, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> AddAsync(Session session, IReadOnlyCollection<SessionId> evicted, CancellationToken cancellationToken) =>
        meter.MeasureAsync("add", () => inner.AddAsync(session, evicted, cancellationToken));

    /// <inheritdoc/>
    public Task BeginRotationAsync(UserReference user, SessionId old, TimeSpan grace, CancellationToken cancellationToken) =>
        MeasureAsync("begin_rotation", () => inner.BeginRotationAsync(user, old, grace, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> CompleteRotationAsync(SessionId old, Session rotated, TimeSpan grace, CancellationToken cancellationToken) =>
        meter.MeasureAsync("complete_rotation", () => inner.CompleteRotationAsync(old, rotated, grace, cancellationToken));

    /// <inheritdoc/>
    public Task<ArchivedRevocation> RevokeAsync(UserReference user, SessionId id, TimeSpan keep, CancellationToken cancellationToken) =>
        meter.MeasureAsync("revoke", () => inner.RevokeAsync(user, id, keep, cancellationToken));

    /// <inheritdoc/>
    public Task<long> RevokeAllAsync(UserReference user, long above, SessionId? except, TimeSpan keep, CancellationToken cancellationToken) =>
        meter.MeasureAsync("revoke_all", () => inner.RevokeAllAsync(user, above, except, keep, cancellationToken));

    /// <inheritdoc/>
    public Task AdvanceGenerationAsync(UserReference user, long generation, SessionId? except, TimeSpan keep, CancellationToken cancellationToken) =>
        MeasureAsync("raise", () => inner.AdvanceGenerationAsync(user, generation, except, keep, cancellationToken));

    /// <inheritdoc/>
    public Task TouchAsync(IReadOnlyCollection<SessionTouch> touches, CancellationToken cancellationToken) =>
        MeasureAsync("touch", () => inner.TouchAsync(touches, cancellationToken));

    /// <summary>Not measured: its time is the reader's.</summary>
    public IAsyncEnumerable<ArchiveChange> ChangesSinceAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
        inner.ChangesSinceAsync(since, cancellationToken);

    /// <inheritdoc/>
    public Task<int> EraseAsync(UserReference user, TimeSpan keep, CancellationToken cancellationToken) =>
        meter.MeasureAsync("erase", () => inner.EraseAsync(user, keep, cancellationToken));

    /// <inheritdoc/>
    public Task<long> CountForgettableAsync(TimeSpan detailsLife, CancellationToken cancellationToken) =>
        meter.MeasureAsync("count_forgettable", () => inner.CountForgettableAsync(detailsLife, cancellationToken));

    /// <inheritdoc/>
    public Task<int> ForgetAsync(TimeSpan detailsLife, int atMost, CancellationToken cancellationToken) =>
        meter.MeasureAsync("forget", () => inner.ForgetAsync(detailsLife, atMost, cancellationToken));

    /// <inheritdoc/>
    public Task<long> CountExpiredAsync(CancellationToken cancellationToken) =>
        meter.MeasureAsync("count_expired", () => inner.CountExpiredAsync(cancellationToken));

    /// <inheritdoc/>
    public Task<int> DeleteExpiredAsync(int atMost, CancellationToken cancellationToken) =>
        meter.MeasureAsync("delete_expired", () => inner.DeleteExpiredAsync(atMost, cancellationToken));

    private Task<bool> MeasureAsync(string operation, Func<Task> call) => meter.MeasureAsync(
        operation,
        async () =>
        {
            await call().ConfigureAwait(false);
            return true;
        });
}
