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
    private readonly Dictionary<string, List<JournalledRevocation>> denied = new(StringComparer.Ordinal);

    // Of this process: what was in its memory ended when they were answered. What other processes wrote has not been compared with it.
    private readonly HashSet<string> own = new(StringComparer.Ordinal);
    private readonly List<string> order = [];
    private volatile int count;
    private volatile bool loaded = journal is null;

    /// <summary>Whether revocations can be journalled at all.</summary>
    public bool HasJournal => journal is not null;

    /// <summary>Whether the journal has been read since the start. Until then nobody knows what Redis must not say.</summary>
    public bool Loaded => loaded;

    /// <summary>Whether other hosts write into the same journal.</summary>
    public bool IsShared => journal?.IsShared == true;

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

        await ReadAsync(cancellationToken).ConfigureAwait(false);
        loaded = true;
    }

    /// <summary>Reads what other hosts have written since: one of them may not live to carry it out.</summary>
    /// <exception cref="IOException">It cannot be read now.</exception>
    public Task RefreshAsync(CancellationToken cancellationToken) => IsShared ? ReadAsync(cancellationToken) : Task.CompletedTask;

    /// <summary>Whether this process has written an entry.</summary>
    public bool IsOwn(JournalledRevocation entry)
    {
        lock (gate)
        {
            return own.Contains(entry.Id);
        }
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

        if (count >= options.JournalEntries)
        {
            throw new StorageUnavailableException(
                cause?.Reason ?? UnavailableReason.Away,
                $"Redis did not take the revocation, and {options.JournalEntries} wait for it already ({OutageOptions.Section}:{nameof(OutageOptions.JournalEntries)}).",
                cause);
        }

        // Not the caller's token: what is under way may be written all the same.
        var writing = journal.AppendAsync(entry, CancellationToken.None);
        try
        {
            await writing.WaitAsync(options.JournalDeadline, timeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            _ = AddLateAsync(writing, entry);
            if (exception is OperationCanceledException && cancellationToken.IsCancellationRequested)
            {
                throw;
            }

            throw new StorageUnavailableException(
                cause?.Reason ?? UnavailableReason.Away, $"Redis did not take the revocation, and the journal did not either: {exception.Message}", exception);
        }

        Add(entry, byThisProcess: true);
    }

    /// <summary>Lets go of what has been carried out in Redis.</summary>
    /// <exception cref="IOException">This host has let go of it, the journal has not: it is carried out again after a restart, which does no harm.</exception>
    public async Task AcknowledgeAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            foreach (var id in ids)
            {
                if (entries.Remove(id, out var entry))
                {
                    own.Remove(id);
                    Drop(byUser, entry.User, entry);
                    Drop(denied, DeniedToken(entry), entry);
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
            // Of several the one that holds longest; none without an end, because an end that is not given is the default life from then on.
            return denied.GetValueOrDefault(id.Value)?.MaxBy(entry => entry.Until ?? DateTimeOffset.MaxValue);
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

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        foreach (var entry in await journal!.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            Add(entry, byThisProcess: false);
        }
    }

    // Its caller was told that nobody knows. In the journal it is carried out some time, so it may as well be soon.
    private async Task AddLateAsync(Task writing, JournalledRevocation entry)
    {
        try
        {
            await writing.ConfigureAwait(false);
        }
        catch (Exception)
        {
            // Not written, as its caller was told.
            return;
        }

        Add(entry, byThisProcess: true);
    }

    private static string? DeniedToken(JournalledRevocation entry) => entry.Kind == RevocationKind.DenylistEntry ? entry.Subject : null;

    private static void Drop(Dictionary<string, List<JournalledRevocation>> lists, string? name, JournalledRevocation entry)
    {
        if (name is not null && lists.TryGetValue(name, out var list) && list.Remove(entry) && list.Count == 0)
        {
            lists.Remove(name);
        }
    }

    private static void Put(Dictionary<string, List<JournalledRevocation>> lists, string? name, JournalledRevocation entry)
    {
        if (name is null)
        {
            return;
        }

        if (!lists.TryGetValue(name, out var list))
        {
            lists[name] = list = [];
        }

        list.Add(entry);
    }

    private void Add(JournalledRevocation entry, bool byThisProcess)
    {
        lock (gate)
        {
            if (!entries.TryAdd(entry.Id, entry))
            {
                return;
            }

            order.Add(entry.Id);
            if (byThisProcess)
            {
                own.Add(entry.Id);
            }

            Put(byUser, entry.User, entry);
            Put(denied, DeniedToken(entry), entry);

            count = entries.Count;
        }
    }
}
