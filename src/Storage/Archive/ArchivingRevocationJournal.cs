using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Archive;

/// <summary>
/// A journal whose entries hold in the archive at once: what is to end in Redis when that is back must not come back from the archive before or after.
/// Neither is answered for unless both have it.
/// </summary>
internal sealed class ArchivingRevocationJournal(IRevocationJournal inner, ISessionArchive archive, IOptionsMonitor<SessionOptions> options) : IRevocationJournal
{
    /// <inheritdoc/>
    public bool IsShared => inner.IsShared;

    /// <inheritdoc/>
    public async Task AppendAsync(JournalledRevocation entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var keep = options.CurrentValue.AbsoluteExpiration;
        if (UserReference.TryParse(entry.User, out var user))
        {
            try
            {
                switch (entry.Kind)
                {
                    case RevocationKind.Session when SessionId.TryParse(entry.Subject, out var id):
                        await archive.RevokeAsync(user, id, keep, cancellationToken).ConfigureAwait(false);
                        break;
                    case RevocationKind.User:
                        SessionId? except = SessionId.TryParse(entry.Except, out var kept) ? kept : null;
                        await archive.RevokeAllAsync(user, above: 0, except, keep, cancellationToken).ConfigureAwait(false);
                        break;
                    default:
                        // The archive holds nothing but sessions.
                        break;
                }
            }
            catch (StorageUnavailableException exception)
            {
                throw new IOException(exception.Message, exception);
            }
        }

        await inner.AppendAsync(entry, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<JournalledRevocation>> ReadAllAsync(CancellationToken cancellationToken) => inner.ReadAllAsync(cancellationToken);

    /// <inheritdoc/>
    public Task AcknowledgeAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken) => inner.AcknowledgeAsync(ids, cancellationToken);
}
