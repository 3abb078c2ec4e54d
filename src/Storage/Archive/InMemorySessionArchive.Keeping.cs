using System.Runtime.CompilerServices;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Archive;

/// <content>What is not about one request: replay, erasure, cleanup.</content>
public sealed partial class InMemorySessionArchive
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<ArchiveChange> ChangesSinceAsync(DateTimeOffset since, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var changes = await Run<List<ArchiveChange>>(
            () =>
            [
                .. owners.Where(owner => owner.Value.ChangedAt >= since).OrderBy(owner => owner.Value.ChangedAt)
                    .Select(owner => new ArchiveChange(owner.Key, owner.Value.Generation, default)),
                .. rows.Where(row => row.Value.EndedAt >= since && (row.Value.Revoked || row.Value.Successor is not null)).OrderBy(row => row.Value.EndedAt)
                    .Select(row => new ArchiveChange(row.Key.User, null, row.Key.Id, row.Value.Revoked ? null : row.Value.Successor)),
            ],
            cancellationToken).ConfigureAwait(false);
        foreach (var change in changes)
        {
            yield return change;
        }
    }

    /// <inheritdoc/>
    public Task<int> EraseAsync(UserReference user, TimeSpan keep, CancellationToken cancellationToken) => Run(
        () =>
        {
            var erased = rows.Where(entry => entry.Key.User == user && entry.Value.Session is not null).Select(entry => entry.Value).ToList();
            foreach (var row in erased)
            {
                Revoke(row);
                row.Session = null;
                row.KeepUntil = Later(row.KeepUntil, Now + keep);
            }

            return erased.Count;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<long> CountForgettableAsync(TimeSpan detailsLife, CancellationToken cancellationToken) =>
        Run(() => (long)rows.Values.Count(row => MayForget(row, detailsLife)), cancellationToken);

    /// <inheritdoc/>
    public Task<int> ForgetAsync(TimeSpan detailsLife, int atMost, CancellationToken cancellationToken) => Run(
        () =>
        {
            var changed = rows.Values.Where(row => MayForget(row, detailsLife)).Take(atMost).ToList();
            foreach (var row in changed)
            {
                row.Session = row.EndedAt is null ? row.Session! with { IpAddress = null, UserAgent = null } : null;
            }

            return changed.Count;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<long> CountExpiredAsync(CancellationToken cancellationToken) => Run(
        () => (long)rows.Count(row => row.Value.KeepUntil < Now) + owners.Count(owner => owner.Value.KeepUntil < Now), cancellationToken);

    /// <inheritdoc/>
    public Task<int> DeleteExpiredAsync(int atMost, CancellationToken cancellationToken) => Run(
        () =>
        {
            var sessions = rows.Where(row => row.Value.KeepUntil < Now).Select(row => row.Key).Take(atMost).ToList();
            sessions.ForEach(key => rows.Remove(key));
            var users = owners.Where(owner => owner.Value.KeepUntil < Now).Select(owner => owner.Key).Take(atMost - sessions.Count).ToList();
            users.ForEach(key => owners.Remove(key));
            return sessions.Count + users.Count;
        },
        cancellationToken);

    private bool MayForget(Row row, TimeSpan detailsLife) => row.Session is { } session
        && (row.EndedAt < Now - Margin || !ReferenceEquals(ClientDetails.Hide(session, detailsLife, Now), session));
}
