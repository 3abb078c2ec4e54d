using System.Security.Cryptography;
using Maintenance.Storage.Denylist;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Outage;

/// <summary>
/// The revocations that wait for Redis: in the journal, so that they survive this host, and here, so that they hold on it at once. What waits is denied
/// whatever Redis says.
/// </summary>
internal sealed class PendingRevocations(IRevocationJournal? journal, OutageOptions options, TimeProvider timeProvider)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, JournalledRevocation> entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<JournalledRevocation>> byUser = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JournalledRevocation> denied = new(StringComparer.Ordinal);
    private readonly List<string> order = [];
    private volatile int count;
    private volatile bool loaded = journal is null;

    /// <summary>Whether revocations can be journalled at all.</summary>
    public bool HasJournal => journal is not null;

    /// <summary>Whether the journal has been read since the start. Until then nobody knows what Redis must not say.</summary>
    public bool Loaded => loaded;

    /// <summary>How many wait.</summary>
    public int Count => count;

    /// <summary>Reads what an earlier process of this host has left.</summary>
    /// <exception cref="IOException">It cannot be read now.</exception>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        if (loaded)
        {
            return;
        }

        foreach (var entry in await journal!.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            Add(entry);
        }

        loaded = true;
    }

    /// <summary>Writes a revocation down; from then on it holds on this host. Its time is now.</summary>
    /// <exception cref="StorageUnavailableException">It is not kept: nothing was revoked beyond this host's memory.</exception>
    public async Task AppendAsync(JournalledRevocation entry, StorageUnavailableException? cause, CancellationToken cancellationToken)
    {
        if (journal is null)
        {
            throw new StorageUnavailableException(
                cause?.Reason ?? UnavailableReason.Away,
                $"Redis did not take the revocation, and there is no journal to keep it ({OutageOptions.Section}:{nameof(OutageOptions.JournalFile)}): what Redis holds may go on.",
                cause);
        }

        entry = entry with { Id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), At = timeProvider.GetUtcNow() };
        if (IsKnown(entry))
        {
            return;
        }

        try
        {
            await journal.AppendAsync(entry, cancellationToken).WaitAsync(options.JournalDeadline, timeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw new StorageUnavailableException(
                cause?.Reason ?? UnavailableReason.Away, $"Redis did not take the revocation, and the journal did not either: {exception.Message}", exception);
        }

        Add(entry);
    }

    /// <summary>Lets go of what has been carried out in Redis.</summary>
    /// <exception cref="IOException">This host has let go of it, the journal has not: it is carried out again after a restart, which does no harm.</exception>
    public async Task AcknowledgeAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            foreach (var id in ids)
            {
                if (!entries.Remove(id, out var entry))
                {
                    continue;
                }

                if (entry.User is { } user && byUser.TryGetValue(user, out var list) && list.Remove(entry) && list.Count == 0)
                {
                    byUser.Remove(user);
                }

                if (entry is { Kind: RevocationKind.DenylistEntry, Subject: { } subject })
                {
                    denied.Remove(subject);
                }
            }

            order.RemoveAll(id => !entries.ContainsKey(id));
            count = entries.Count;
        }

        if (journal is not null)
        {
            await journal.AcknowledgeAsync(ids, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>All that waits, in the order in which it was answered.</summary>
    public IReadOnlyList<JournalledRevocation> Snapshot()
    {
        lock (gate)
        {
            return [.. order.Select(id => entries[id])];
        }
    }

    /// <summary>Whether anything of a user waits.</summary>
    public bool Concerns(UserReference user) => count > 0 && Find(user.Value, static _ => true);

    /// <summary>Whether a user's log-out everywhere waits.</summary>
    public bool EndsAll(UserReference user) => count > 0 && Find(user.Value, static entry => entry.Kind == RevocationKind.User);

    /// <summary>Whether a session is to end.</summary>
    public bool Ends(UserReference user, SessionId id) => count > 0 && Find(
        user.Value,
        entry => (entry.Kind == RevocationKind.Session && entry.Subject == id.Value) || (entry.Kind == RevocationKind.User && entry.Except != id.Value));

    /// <summary>The denial of a token that waits; null if none does.</summary>
    public JournalledRevocation? Denial(DenylistId id)
    {
        if (count == 0)
        {
            return null;
        }

        lock (gate)
        {
            return denied.GetValueOrDefault(id.Value);
        }
    }

    // Only kinds for which the time of the revocation means nothing: the same once more would add nothing.
    private bool IsKnown(JournalledRevocation entry) =>
        entry is { Kind: RevocationKind.Session or RevocationKind.RefreshFamily, User: { } user }
        && count > 0
        && Find(user, other => other.Kind == entry.Kind && other.Subject == entry.Subject);

    private bool Find(string user, Func<JournalledRevocation, bool> matches)
    {
        lock (gate)
        {
            return byUser.TryGetValue(user, out var list) && list.Exists(entry => matches(entry));
        }
    }

    private void Add(JournalledRevocation entry)
    {
        lock (gate)
        {
            if (!entries.TryAdd(entry.Id, entry))
            {
                return;
            }

            order.Add(entry.Id);
            if (entry.User is { } user)
            {
                if (!byUser.TryGetValue(user, out var list))
                {
                    byUser[user] = list = [];
                }

                list.Add(entry);
            }

            if (entry is { Kind: RevocationKind.DenylistEntry, Subject: { } subject })
            {
                denied[subject] = entry;
            }

            count = entries.Count;
        }
    }
}
