namespace Maintenance.Storage.Outage;

/// <summary>
/// Where revocations are kept that Redis could not take: a file, or a database. What <see cref="AppendAsync"/> has returned for must survive the host's
/// end. Replaying an entry twice does no harm, so an acknowledgement may be lost. Calls may come at the same time.
/// </summary>
public interface IRevocationJournal
{
    /// <summary>Whether several hosts write into it: then each carries out what any of them wrote, so that the end of one host loses nothing.</summary>
    bool IsShared => false;

    /// <summary>Keeps an entry; returns when it is durable.</summary>
    /// <exception cref="IOException">It is not kept, or nobody knows: the caller answers that the revocation is unavailable.</exception>
    Task AppendAsync(JournalledRevocation entry, CancellationToken cancellationToken);

    /// <summary>All entries that were not acknowledged, in the order in which they were appended.</summary>
    /// <exception cref="IOException">They cannot be read now. Redis is not read until they can be.</exception>
    Task<IReadOnlyList<JournalledRevocation>> ReadAllAsync(CancellationToken cancellationToken);

    /// <summary>Lets go of entries that have been carried out.</summary>
    /// <param name="ids">Their <see cref="JournalledRevocation.Id"/>; unknown ones are ignored.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="IOException">They may come back at the next start.</exception>
    Task AcknowledgeAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken);
}

/// <summary>What a journalled revocation ends.</summary>
public enum RevocationKind
{
    /// <summary>One session; <see cref="JournalledRevocation.Subject"/> is its id.</summary>
    Session,

    /// <summary>All of a user: sessions, refresh families, one-time tokens, challenges.</summary>
    User,

    /// <summary>One refresh family; the subject is its id.</summary>
    RefreshFamily,

    /// <summary>All refresh families of a user.</summary>
    RefreshFamilies,

    /// <summary>The refresh families of a session; the subject is the session's id.</summary>
    RefreshFamiliesOfSession,

    /// <summary>A user's one-time tokens of a purpose; the subject is its name.</summary>
    OneTimeTokens,

    /// <summary>A token on the denylist; the subject is the hash under which it is stored.</summary>
    DenylistEntry,
}

/// <summary>A revocation that waits for Redis. Holds names and hashes, no secret and no user id.</summary>
public sealed record JournalledRevocation
{
    /// <summary>Names the entry: 32 hexadecimal digits.</summary>
    public required string Id { get; init; }

    /// <summary>What it ends.</summary>
    public required RevocationKind Kind { get; init; }

    /// <summary>When it was answered, by this host's clock. What began later lives on.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The user's reference, 16 characters; null for the denylist.</summary>
    public string? User { get; init; }

    /// <summary>Which one, as the kind says.</summary>
    public string? Subject { get; init; }

    /// <summary>Of <see cref="RevocationKind.User"/>: the session that is kept.</summary>
    public string? Except { get; init; }

    /// <summary>Of the denylist: until when; null for its default life.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Of the denylist: why.</summary>
    public string? Reason { get; init; }
}
