using Maintenance.Storage.Archive;
using Maintenance.Storage.Denylist;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.Outage;

/// <summary>How a replay ended.</summary>
internal enum ReplayOutcome
{
    /// <summary>All that was there has been carried out.</summary>
    Complete,

    /// <summary>Redis refuses an entry for a reason of its own; it stays, and goes on being denied on this host.</summary>
    Refused,

    /// <summary>Redis is away again, or takes no writes.</summary>
    Unavailable,
}

/// <summary>Carries out in Redis what was journalled while it was away. Each entry is one script, safe to run twice and safe to come late.</summary>
internal sealed class JournalReplay(
    Lazy<RedisConnection> connection,
    RedisKeys keys,
    PendingRevocations pending,
    IOptionsMonitor<SessionOptions> sessions,
    IOptionsMonitor<DenylistOptions> denylist,
    OutageOptions options,
    OutageRules rules,
    ISessionArchive? archive,
    ILogger logger)
{
    private const int MostRecords = 10_000;

    // The families come with the sessions, because of what binds them.
    private static readonly TokenKind[] BesideFamilies = [.. TokenKind.All.Where(kind => kind.Record != StateKind.RefreshToken)];

    private static readonly RedisScript EndUser = Load("Outage/replay_user");
    private static readonly RedisScript EndSession = Load("Outage/replay_session");
    private static readonly RedisScript EndTokens = Load("Outage/replay_tokens");
    private static readonly RedisScript EndFamiliesOfSession = Load("RefreshTokens/end_session");
    private static readonly RedisScript EndToken = Load("Tokens/revoke");
    private static readonly RedisScript Deny = Load("Denylist/deny");

    // The times on Redis's clock, reckoned once an entry, so that a second try sets the same generation.
    private readonly Dictionary<string, long> times = new(StringComparer.Ordinal);
    // Ids that an entry led to in Redis and that the archive has not been told of yet: their aliases are gone.
    private readonly Dictionary<string, List<SessionId>> untold = new(StringComparer.Ordinal);
    private readonly HashSet<string> refused = new(StringComparer.Ordinal);
    private readonly Dictionary<UserReference, (long Set, long? Found)> generations = [];

    /// <summary>Told of each entry that is carried out, and of the time up to which it ends things, in microseconds of Redis's clock.</summary>
    internal Action<JournalledRevocation, long>? CarriesOut { get; set; }

    /// <summary>
    /// The generation that a replay of this host has set for a user, and the one it found then: what a session that was born in this host's memory has to
    /// be compared with. Null: this host has set none.
    /// </summary>
    public (long Set, long? Found)? GenerationOf(UserReference user) => generations.TryGetValue(user, out var both) ? both : null;

    /// <summary>Forgets the generations: no session is left to be compared.</summary>
    public void Forget() => generations.Clear();

    /// <summary>Carries out all that waits.</summary>
    public async Task<ReplayOutcome> RunAsync(ServerClock clock, CancellationToken cancellationToken)
    {
        var waiting = pending.Snapshot();
        if (waiting.Count == 0)
        {
            return ReplayOutcome.Complete;
        }

        var done = new List<string>(waiting.Count);
        var outcome = ReplayOutcome.Complete;
        foreach (var entry in waiting)
        {
            try
            {
                await (rules.Replays ? ApplyAsync(entry, clock, cancellationToken) : Task.CompletedTask).ConfigureAwait(false);
                done.Add(entry.Id);
                times.Remove(entry.Id);
            }
            catch (StorageUnavailableException exception) when (exception.Reason != UnavailableReason.Archive)
            {
                outcome = ReplayOutcome.Unavailable;
                break;
            }
            catch (Exception exception) when (exception is RedisServerException or FormatException or ArgumentException or StorageUnavailableException)
            {
                if (refused.Add(entry.Id))
                {
                    logger.JournalEntryRefused(entry.Kind.ToString(), exception.Message);
                }

                outcome = ReplayOutcome.Refused;
            }
        }

        if (done.Count > 0)
        {
            await AcknowledgeAsync(done, cancellationToken).ConfigureAwait(false);
            logger.JournalReplayed(done.Count, waiting.Count - done.Count);
        }

        return outcome;
    }

    private async Task AcknowledgeAsync(List<string> done, CancellationToken cancellationToken)
    {
        try
        {
            await pending.AcknowledgeAsync(done, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            logger.JournalNotAcknowledged(exception.Message);
        }
    }

    private Task ApplyAsync(JournalledRevocation entry, ServerClock clock, CancellationToken cancellationToken)
    {
        CarriesOut?.Invoke(entry, clock.AtLatest(entry.At, options.ClockTolerance));
        var subject = entry.Subject ?? "";
        if (entry.Kind == RevocationKind.DenylistEntry)
        {
            return DenylistId.TryParse(subject, out var id) ? DenyAsync(entry, id, cancellationToken) : throw new FormatException("no denylist id");
        }

        if (!UserReference.TryParse(entry.User, out var user))
        {
            throw new FormatException($"'{entry.User}' is no user reference");
        }

        return entry.Kind switch
        {
            RevocationKind.User => EndUserAsync(entry, user, SessionId.TryParse(entry.Except, out var kept) ? kept : null, clock, cancellationToken),
            RevocationKind.Session => EndSessionAsync(entry, user, SessionId.Parse(subject), clock, cancellationToken),
            RevocationKind.RefreshFamily => connection.Value.WithoutBreaker().EvaluateAsync(
                EndToken,
                [keys.RefreshFamily(user, Family(subject)), keys.RefreshIndex(user)],
                [subject, keys.RefreshFamiliesOf(user), RefreshFamilyFormat.Shortest],
                cancellationToken),
            RevocationKind.RefreshFamiliesOfSession => connection.Value.WithoutBreaker().EvaluateAsync(
                EndFamiliesOfSession, [keys.RefreshIndex(user)], [keys.RefreshFamiliesOf(user), subject, keys.SessionsOf(user)], cancellationToken),
            RevocationKind.RefreshFamilies => connection.Value.WithoutBreaker().EvaluateAsync(
                EndTokens,
                [keys.RefreshIndex(user)],
                [keys.RefreshFamiliesOf(user), RefreshFamilyFormat.Shortest, MostRecords, Time(entry, clock)],
                cancellationToken),
            RevocationKind.OneTimeTokens => EndOneTimeTokensAsync(entry, user, Enum.Parse<OneTimePurpose>(subject).Kind(), clock, cancellationToken),
            _ => throw new FormatException($"{entry.Kind} is not known to this version"),
        };
    }

    private async Task EndUserAsync(JournalledRevocation entry, UserReference user, SessionId? kept, ServerClock clock, CancellationToken cancellationToken)
    {
        var reply = ClientCompat.Items(await connection.Value.WithoutBreaker().EvaluateAsync(
            EndUser,
            [keys.Generation(user), keys.SessionIndex(user), keys.RefreshIndex(user), .. BesideFamilies.Select(kind => (RedisKey)kind.Index(keys, user))],
            [
                Time(entry, clock), kept?.Value ?? "", (long)Math.Ceiling(sessions.CurrentValue.AbsoluteExpiration.TotalMilliseconds), MostRecords,
                keys.SessionsOf(user), keys.RefreshFamiliesOf(user),
                .. BesideFamilies.SelectMany(kind => (RedisValue[])[kind.Prefix(keys, user), kind.ShortestRecord]),
            ],
            cancellationToken).ConfigureAwait(false));
        // Only of what this process wrote itself: what another host ended, the sessions in this one's memory have not been compared with.
        if (pending.IsOwn(entry) && long.TryParse((string?)reply[3], out var set))
        {
            // Found by the first of several is what counts: the later ones found what this host had set.
            var found = long.TryParse((string?)reply[2], out var before) ? before : (long?)null;
            generations[user] = (set, generations.TryGetValue(user, out var earlier) && earlier.Set == found ? earlier.Found : found);
        }
    }

    private async Task EndSessionAsync(JournalledRevocation entry, UserReference user, SessionId id, ServerClock clock, CancellationToken cancellationToken)
    {
        var longest = sessions.CurrentValue.AbsoluteExpiration;
        var life = (long)Math.Ceiling(longest.TotalMilliseconds);
        var reply = ClientCompat.Items(await connection.Value.WithoutBreaker().EvaluateAsync(
            EndSession,
            [keys.Session(user, id), keys.SessionIndex(user), keys.RefreshIndex(user), keys.ArchiveFence(user)],
            [id.Value, keys.SessionsOf(user), keys.RefreshFamiliesOf(user), life, keys.SessionTombstonesOf(user), archive is null ? 0 : life],
            cancellationToken).ConfigureAwait(false));
        if (archive is not null)
        {
            var ids = untold.GetValueOrDefault(entry.Id) ?? [];
            ids.AddRange(ClientCompat.Items(reply[1]).Select(item => SessionId.TryParse((string?)item, out var met) ? met : default).Where(met => met != default));
            untold[entry.Id] = ids;
            foreach (var met in ids)
            {
                // Not in Redis any more, and the mark of each holds until the archive has it.
                await archive.RevokeAsync(user, met, longest, cancellationToken).ConfigureAwait(false);
            }

            untold.Remove(entry.Id);
        }

        if ((int)reply[0] < 0)
        {
            // A record of a newer format, which cannot be ended alone; it was promised to end.
            await EndUserAsync(entry, user, null, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private Task<RedisResult> EndOneTimeTokensAsync(JournalledRevocation entry, UserReference user, StateKind kind, ServerClock clock, CancellationToken cancellationToken) =>
        connection.Value.WithoutBreaker().EvaluateAsync(
            EndTokens,
            [keys.OneTimeIndex(kind, user)],
            [keys.OneTimeTokensOf(kind, user), OneTimeTokenFormat.Shortest, MostRecords, Time(entry, clock)],
            cancellationToken);

    private async Task DenyAsync(JournalledRevocation entry, DenylistId id, CancellationToken cancellationToken)
    {
        var current = denylist.CurrentValue;
        var until = DenylistRecord.CeilingMilliseconds(entry.Until ?? (entry.At + current.DefaultLife)) + (long)current.ClockSkew.TotalMilliseconds;
        // Its bounds were checked when it was journalled.
        await connection.Value.WithoutBreaker().EvaluateAsync(
            Deny, [keys.DenylistEntry(id)], [until, 0, long.MaxValue / 2, entry.Reason ?? ""], cancellationToken).ConfigureAwait(false);
    }

    private long Time(JournalledRevocation entry, ServerClock clock)
    {
        if (!rules.ReplayComparesTimes)
        {
            return clock.AtLatest(clock.After, TimeSpan.FromDays(1));
        }

        if (!times.TryGetValue(entry.Id, out var time))
        {
            times[entry.Id] = time = clock.AtLatest(entry.At, options.ClockTolerance);
        }

        return time;
    }

    private static TokenId Family(string text) => TokenId.TryParse(text, out var id) ? id : throw new FormatException("no family id");

    private static RedisScript Load(string name) => RedisScript.Load(typeof(JournalReplay).Assembly, name + ".lua");
}
