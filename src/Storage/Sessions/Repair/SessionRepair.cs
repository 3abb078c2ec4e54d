using System.Globalization;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Tokens;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.Sessions.Repair;

/// <summary>
/// Mends sessions and their indexes. Callers bring suspects that a sweep found some time ago; each method looks again inside one script on the
/// primary and acts only on what is true there, so a call that comes late or twice does no harm.
/// </summary>
public sealed class SessionRepair
{
    // Clock granularity of PTTL against the time of the script, plus one renewal in flight.
    private static readonly TimeSpan DefaultTolerance = TimeSpan.FromSeconds(2);

    // The longest life that any session may have (SessionOptionsValidator): a host may give one session more than this program's default.
    private static readonly TimeSpan LongestSession = TimeSpan.FromDays(400);

    private readonly RedisConnection connection;
    private readonly RedisKeys keys;
    private readonly IOptionsMonitor<SessionOptions> options;
    private readonly RepairScripts scripts;

    /// <summary>Creates the repairer.</summary>
    public SessionRepair(RedisConnection connection, RedisKeys keys, IOptionsMonitor<SessionOptions> options)
        : this(connection, keys, options, RepairScripts.Default)
    {
    }

    internal SessionRepair(RedisConnection connection, RedisKeys keys, IOptionsMonitor<SessionOptions> options, RepairScripts scripts)
    {
        this.connection = connection;
        this.keys = keys;
        this.options = options;
        this.scripts = scripts;
    }

    /// <summary>Difference of an index's score, or an index's TTL, from the truth that is not drift. 2 s.</summary>
    public TimeSpan Tolerance { get; init; } = DefaultTolerance;

    /// <summary>Longest wait for one script, or <see cref="RedisOptions.Deadline"/> where that is longer. Nobody's request waits for a repair: 5 s.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(5);

    private TimeSpan Patience => connection.DeadlineOfAtLeast(Deadline);

    /// <summary>Looks again at a user's suspects and mends what is wrong.</summary>
    /// <param name="user">Whose.</param>
    /// <param name="suspects">At most a few hundred a call; the script blocks Redis while it looks at them.</param>
    /// <param name="dryRun">Only look.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="StorageUnavailableException">Redis did not answer.</exception>
    public Task<ReconcileResult> ReconcileAsync(
        UserReference user, IReadOnlyList<SessionSuspect> suspects, bool dryRun, CancellationToken cancellationToken) =>
        ReconcileAsync(user, suspects, dryRun ? RepairMode.Look : RepairMode.Act, cancellationToken);

    /// <inheritdoc cref="ReconcileAsync(UserReference, IReadOnlyList{SessionSuspect}, bool, CancellationToken)"/>
    /// <param name="user">Whose.</param>
    /// <param name="suspects">At most a few hundred a call; the script blocks Redis while it looks at them.</param>
    /// <param name="mode">What may be done.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<ReconcileResult> ReconcileAsync(
        UserReference user, IReadOnlyList<SessionSuspect> suspects, RepairMode mode, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(suspects);
        var arguments = new RedisValue[3 + (suspects.Count * 2)];
        arguments[0] = Word(mode);
        arguments[1] = (long)Tolerance.TotalMilliseconds;
        arguments[2] = keys.SessionsOf(user);
        for (var i = 0; i < suspects.Count; i++)
        {
            arguments[3 + (i * 2)] = suspects[i].Id.Value;
            arguments[4 + (i * 2)] = Score(suspects[i].SeenScore);
        }

        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            scripts.Reconcile, [keys.SessionIndex(user), keys.Generation(user)], arguments, cancellationToken, Patience).ConfigureAwait(false));
        var verdicts = new DriftVerdict[suspects.Count];
        for (var i = 0; i < verdicts.Length; i++)
        {
            verdicts[i] = Verdict((string?)reply[i + 1]);
        }

        return new ReconcileResult(verdicts, (int)reply[0] == 1);
    }

    /// <summary>Makes a user's index live as long as its longest session.</summary>
    public Task<IndexLifeVerdict> MendIndexLifeAsync(UserReference user, bool dryRun, CancellationToken cancellationToken) =>
        MendIndexLifeAsync(connection, scripts.IndexLife, keys.SessionIndex(user), Tolerance, dryRun, Patience, cancellationToken);

    /// <summary>Drops the first members of a user's index whose time is over and whose session is gone; a live one's score is mended instead.</summary>
    /// <inheritdoc cref="DropExpiredMembersAsync(UserReference, int, int, bool, CancellationToken)"/>
    public Task<ExpiredMembers> DropExpiredMembersAsync(UserReference user, int limit, bool dryRun, CancellationToken cancellationToken) =>
        DropExpiredMembersAsync(user, limit, 0, dryRun, cancellationToken);

    /// <summary>Drops the members of a user's index whose time is over and whose session is gone; a live one's score is mended instead.</summary>
    /// <param name="user">Whose.</param>
    /// <param name="limit">Members to look at; call again while <see cref="ExpiredMembers.LookedAt"/> equals it.</param>
    /// <param name="skip">Members past their time to pass over: those that stayed in the calls before (in a dry run: all of them).</param>
    /// <param name="dryRun">Only look.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<ExpiredMembers> DropExpiredMembersAsync(UserReference user, int limit, int skip, bool dryRun, CancellationToken cancellationToken)
    {
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            scripts.ExpireMembers,
            [keys.SessionIndex(user)],
            [dryRun ? 1 : 0, keys.SessionsOf(user), limit, skip],
            cancellationToken,
            Patience).ConfigureAwait(false));
        return new ExpiredMembers((int)reply[0], (int)reply[1], (int)reply[2]);
    }

    /// <summary>
    /// Gives a key without a TTL the one that it should have. It comes from the value where that tells: records of sessions and tokens, scores of
    /// indexes, second-factor counts, denials.
    /// </summary>
    /// <param name="key">The whole name of the key, prefix included; it must match the grammar.</param>
    /// <param name="parsed">What the name says.</param>
    /// <param name="otherKinds">Life for kinds whose value does not tell, from now.</param>
    /// <param name="removeOtherKinds">Remove those instead.</param>
    /// <param name="dryRun">Only look.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<MissingTtlVerdict> MendMissingTtlAsync(
        RedisKey key, ParsedKey parsed, TimeSpan otherKinds, bool removeOtherKinds, bool dryRun, CancellationToken cancellationToken)
    {
        if (parsed.Kind == StateKind.DataProtection)
        {
            // Meant to stay: what was protected with these keys could not be read without them.
            return MissingTtlVerdict.Right;
        }

        var kind = Scripted(parsed.Kind);
        var life = parsed.Kind switch
        {
            StateKind.Session => options.CurrentValue.RotationGrace,
            // Shorter than a session that depends on it, it would log that session out.
            StateKind.Generation => LongestSession,
            _ => otherKinds,
        };
        if (kind == Other && life <= TimeSpan.Zero)
        {
            // Nobody has said how long it lives: to end it now would be the worst guess.
            return MissingTtlVerdict.Right;
        }

        // A missing generation denies a living session: it is not removed for want of a TTL.
        var remove = removeOtherKinds && parsed.Kind != StateKind.Generation;
        var token = TokenKind.OfRecord(parsed.Kind);
        RedisKey[] names = parsed.Kind == StateKind.Session ? [key, keys.SessionIndex(parsed.User)]
            : token is not null ? [key, token.Index(keys, parsed.User)]
            : [key];
        var reply = await connection.EvaluateAsync(
            scripts.MissingTtl,
            names,
            [dryRun ? 1 : 0, kind, (long)Math.Ceiling(life.TotalMilliseconds), remove ? 1 : 0, parsed.Id.Value, token?.ShortestRecord ?? 0],
            cancellationToken,
            Patience).ConfigureAwait(false);
        return (string?)reply switch
        {
            "repaired" => MissingTtlVerdict.Repaired,
            "removed" => MissingTtlVerdict.Removed,
            "version" => MissingTtlVerdict.UnknownVersion,
            "foreign" => MissingTtlVerdict.Foreign,
            _ => MissingTtlVerdict.Right,
        };
    }

    /// <summary>How long address and user agent of a session are kept (<see cref="SessionOptions.ClientDetailsLife"/>); null: as long as any session.</summary>
    public TimeSpan? ClientDetailsLife => options.CurrentValue.ClientDetailsLife is var life && life < SessionOptions.LongestLife ? life : null;

    /// <summary>Bytes of a record from its start that <see cref="HoldsOldDetails"/> needs.</summary>
    public static int DetailsPrefixBytes => ClientDetails.PrefixBytes;

    /// <summary>Whether a record that begins so seems to hold an address or user agent whose time is over.</summary>
    /// <param name="start">The first <see cref="DetailsPrefixBytes"/> bytes.</param>
    /// <param name="now">Redis's time.</param>
    public bool HoldsOldDetails(ReadOnlySpan<byte> start, DateTimeOffset now) => ClientDetailsLife is { } life && ClientDetails.AreOld(start, life, now);

    /// <summary>Takes address and user agent out of a session's record if their time is over.</summary>
    /// <returns>Whether there were any.</returns>
    public async Task<bool> StripDetailsAsync(UserReference user, SessionId id, bool dryRun, CancellationToken cancellationToken) =>
        ClientDetailsLife is { } life && (int)await connection.EvaluateAsync(
            scripts.StripDetails, [keys.Session(user, id)], [dryRun ? 1 : 0, ClientDetails.Milliseconds(life)], cancellationToken, Patience).ConfigureAwait(false) == 1;

    /// <summary>Whether a key's value, or a rule of its own, tells the life that it should have. The life of every other kind is a setting.</summary>
    public static bool TellsItsLife(StateKind kind) => Scripted(kind) != Other || kind == StateKind.Generation;

    private const string Other = "other";

    // The kind as the script spells it.
    private static string Scripted(StateKind kind) => kind switch
    {
        StateKind.Session => "session",
        StateKind.TwoFactorUser => "two_factor_user",
        StateKind.DenylistEntry => "denial",
        _ when TokenKind.OfRecord(kind) is not null => "token",
        _ when kind == StateKind.SessionIndex || TokenKind.OfIndex(kind) is not null => "index",
        _ => Other,
    };

    /// <summary>Makes any index by expiry live as long as its longest member.</summary>
    internal static async Task<IndexLifeVerdict> MendIndexLifeAsync(
        RedisConnection connection, RedisScript script, string index, TimeSpan tolerance, bool dryRun, TimeSpan deadline, CancellationToken cancellationToken)
    {
        var reply = await connection.EvaluateAsync(
            script, [index], [dryRun ? 1 : 0, (long)tolerance.TotalMilliseconds], cancellationToken, deadline).ConfigureAwait(false);
        return (string?)reply switch
        {
            "ok" => IndexLifeVerdict.Right,
            "wrong_expiry" => IndexLifeVerdict.WrongExpiry,
            "no_ttl" => IndexLifeVerdict.MissingTtl,
            _ => IndexLifeVerdict.Gone,
        };
    }

    /// <summary>The mode as the scripts spell it.</summary>
    internal static string Word(RepairMode mode) => mode switch
    {
        RepairMode.Act => "act",
        RepairMode.Look => "look",
        _ => "spare",
    };

    internal static RedisValue Score(double? score) => score switch
    {
        null => "",
        double.PositiveInfinity => "inf",
        double.NegativeInfinity => "-inf",
        { } number => number.ToString("R", CultureInfo.InvariantCulture),
    };

    internal static DriftVerdict Verdict(string? text) => text switch
    {
        "expired" => DriftVerdict.Expired,
        "dangling" => DriftVerdict.Dangling,
        "missing" => DriftVerdict.Missing,
        "revoked" => DriftVerdict.Revoked,
        "wrong_expiry" => DriftVerdict.WrongExpiry,
        "refused" => DriftVerdict.Refused,
        "changed" => DriftVerdict.Changed,
        "version" => DriftVerdict.UnknownVersion,
        "foreign" => DriftVerdict.Foreign,
        _ => DriftVerdict.Right,
    };
}
