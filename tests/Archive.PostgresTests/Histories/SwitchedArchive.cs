using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Archive.PostgresTests.Histories;

/// <summary>One host's way to the archive, which can be cut. Replays see only some users, because many histories share the archive.</summary>
internal sealed class SwitchedArchive(ISessionArchive inner, IReadOnlyList<UserReference> users) : ISessionArchive
{
    public bool IsAway { get; set; }

    private ISessionArchive Reached => IsAway ? throw new StorageUnavailableException(UnavailableReason.Archive, "cut off by the history") : inner;

    public async Task<long?> GetGenerationAsync(UserReference user, CancellationToken cancellationToken) => await Reached.GetGenerationAsync(user, cancellationToken);

    public async Task<Session?> FindAsync(UserReference user, SessionId id, CancellationToken cancellationToken) => await Reached.FindAsync(user, id, cancellationToken);

    public async Task<IReadOnlyList<Session>> ListAsync(UserReference user, CancellationToken cancellationToken) => await Reached.ListAsync(user, cancellationToken);

    public async Task<bool> AddAsync(Session session, IReadOnlyCollection<SessionId> evicted, CancellationToken cancellationToken) =>
        await Reached.AddAsync(session, evicted, cancellationToken);

    public async Task BeginRotationAsync(UserReference user, SessionId old, TimeSpan grace, CancellationToken cancellationToken) =>
        await Reached.BeginRotationAsync(user, old, grace, cancellationToken);

    public async Task<bool> CompleteRotationAsync(SessionId old, Session rotated, TimeSpan grace, CancellationToken cancellationToken) =>
        await Reached.CompleteRotationAsync(old, rotated, grace, cancellationToken);

    public async Task<ArchivedRevocation> RevokeAsync(UserReference user, SessionId id, TimeSpan keep, CancellationToken cancellationToken) =>
        await Reached.RevokeAsync(user, id, keep, cancellationToken);

    public async Task<long> RevokeAllAsync(UserReference user, long above, SessionId? except, TimeSpan keep, CancellationToken cancellationToken) =>
        await Reached.RevokeAllAsync(user, above, except, keep, cancellationToken);

    public async Task AdvanceGenerationAsync(UserReference user, long generation, SessionId? except, TimeSpan keep, CancellationToken cancellationToken) =>
        await Reached.AdvanceGenerationAsync(user, generation, except, keep, cancellationToken);

    public async Task TouchAsync(IReadOnlyCollection<SessionTouch> touches, CancellationToken cancellationToken) => await Reached.TouchAsync(touches, cancellationToken);

    public IAsyncEnumerable<ArchiveChange> ChangesSinceAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
        Reached.ChangesSinceAsync(since, cancellationToken).Where(change => users.Contains(change.User));

    public async Task<int> EraseAsync(UserReference user, TimeSpan keep, CancellationToken cancellationToken) => await Reached.EraseAsync(user, keep, cancellationToken);

    public async Task<long> CountForgettableAsync(TimeSpan detailsLife, CancellationToken cancellationToken) =>
        await Reached.CountForgettableAsync(detailsLife, cancellationToken);

    public async Task<int> ForgetAsync(TimeSpan detailsLife, int atMost, CancellationToken cancellationToken) =>
        await Reached.ForgetAsync(detailsLife, atMost, cancellationToken);

    public async Task<long> CountExpiredAsync(CancellationToken cancellationToken) => await Reached.CountExpiredAsync(cancellationToken);

    public async Task<int> DeleteExpiredAsync(int atMost, CancellationToken cancellationToken) => await Reached.DeleteExpiredAsync(atMost, cancellationToken);
}
