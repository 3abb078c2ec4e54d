using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.RefreshTokens;

/// <summary>Refresh families in Redis: one record a family, every change one script on Redis's clock.</summary>
public sealed class RedisRefreshTokenStore : IRefreshTokenStore
{
    private static readonly RedisScript Issue = Load("issue");
    private static readonly RedisScript Rotate = Load("rotate");
    private static readonly RedisScript Bind = Load("bind");
    private static readonly RedisScript EndSession = Load("end_session");
    private static readonly RedisScript MoveSession = Load("move_session");
    private static readonly RedisScript CarryOver = Load("carry_over");

    private readonly RedisConnection connection;
    private readonly RedisKeys keys;
    private readonly IOptionsMonitor<RefreshTokenOptions> options;
    private readonly IOptionsMonitor<TokenLifetimeOptions> lifetimes;
    private readonly IOptionsMonitor<SessionOptions>? sessions;
    private readonly RedisTokens tokens;

    /// <summary>Creates the store.</summary>
    public RedisRefreshTokenStore(
        RedisConnection connection, RedisKeys keys, IOptionsMonitor<RefreshTokenOptions> options, IOptionsMonitor<TokenLifetimeOptions> lifetimes)
        : this(connection, keys, options, lifetimes, sessionsInArchive: null)
    {
    }

    /// <summary>With an archive, which could bring back a session that ends here: then it leaves a tombstone, by itself and at once.</summary>
    internal RedisRefreshTokenStore(
        RedisConnection connection,
        RedisKeys keys,
        IOptionsMonitor<RefreshTokenOptions> options,
        IOptionsMonitor<TokenLifetimeOptions> lifetimes,
        IOptionsMonitor<SessionOptions>? sessionsInArchive)
    {
        sessions = sessionsInArchive;
        this.connection = connection;
        this.keys = keys;
        this.options = options;
        this.lifetimes = lifetimes;
        tokens = new RedisTokens(connection, keys, RefreshFamilyFormat.Shortest);
    }

    /// <inheritdoc/>
    public async Task<RefreshIssue> IssueAsync(NewRefreshFamily family, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(family);
        var user = UserReference.Of(family.UserId);
        var life = TokenLife.Milliseconds(family.Life ?? lifetimes.CurrentValue.RefreshToken, nameof(family.Life));
        var token = RefreshToken.Create(user, TokenId.Random());
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            Issue,
            [keys.RefreshFamily(user, token.FamilyId), keys.RefreshIndex(user), keys.Generation(user)],
            [
                token.FamilyId.Value, keys.RefreshFamiliesOf(user), token.Hash.Value, family.SessionId?.Value ?? "", keys.SessionsOf(user), life,
                options.CurrentValue.MaxFamiliesPerUser, family.UserId,
            ],
            cancellationToken).ConfigureAwait(false));
        return (string?)reply[0] == "issued"
            ? new RefreshIssue(token, RefreshFamilyFormat.Decode(user, token.FamilyId, (byte[])reply[1]!), (int)reply[2])
            : new RefreshIssue(null, null);
    }

    /// <inheritdoc/>
    public async Task<RefreshRotation> RotateAsync(string? token, CancellationToken cancellationToken)
    {
        if (!RefreshToken.TryParse(token, out var parsed))
        {
            return new RefreshRotation(RefreshOutcome.Denied, Denial: TokenDenial.Malformed);
        }

        var user = parsed.User;
        var next = RefreshToken.Create(user, parsed.FamilyId);
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            Rotate,
            [keys.RefreshFamily(user, parsed.FamilyId), keys.RefreshIndex(user), keys.Generation(user), keys.SessionIndex(user), keys.ArchiveFence(user)],
            [
                parsed.FamilyId.Value, keys.RefreshFamiliesOf(user), parsed.Hash.Value, next.Hash.Value,
                (long)Math.Ceiling(options.CurrentValue.RotationGrace.TotalMilliseconds), keys.SessionsOf(user),
                keys.SessionTombstonesOf(user), (long)Math.Ceiling(sessions?.CurrentValue.AbsoluteExpiration.TotalMilliseconds ?? 0),
            ],
            cancellationToken).ConfigureAwait(false));
        var outcome = (string?)reply[0] switch
        {
            "rotated" => RefreshOutcome.Rotated,
            "replaced" => RefreshOutcome.Replaced,
            "reused" => RefreshOutcome.Reused,
            _ => RefreshOutcome.Denied,
        };
        if (outcome == RefreshOutcome.Denied)
        {
            return new RefreshRotation(outcome, Denial: TokenDenials.Parse((string?)reply[0]));
        }

        var family = RefreshFamilyFormat.Decode(user, parsed.FamilyId, (byte[])reply[1]!);
        return family is null
            ? new RefreshRotation(RefreshOutcome.Denied, Denial: TokenDenial.Unreadable)
            : new RefreshRotation(outcome, outcome == RefreshOutcome.Reused ? null : next, family);
    }

    /// <inheritdoc/>
    public async Task<bool> BindSessionAsync(string userId, TokenId familyId, SessionId sessionId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        return familyId != default && sessionId != default && (string?)await connection.EvaluateAsync(
            Bind,
            [keys.RefreshFamily(user, familyId), keys.RefreshIndex(user), keys.Generation(user)],
            [familyId.Value, keys.RefreshFamiliesOf(user), sessionId.Value, keys.SessionsOf(user)],
            cancellationToken).ConfigureAwait(false) == "bound";
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<RefreshFamily>> ListAsync(string userId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        var found = await tokens.ListAsync(user, keys.RefreshIndex(user), keys.RefreshFamiliesOf(user), cancellationToken).ConfigureAwait(false);
        return [.. found.Select(item => RefreshFamilyFormat.Decode(user, item.Id, item.Record)).OfType<RefreshFamily>()];
    }

    /// <inheritdoc/>
    public async Task<Revocation> RevokeAsync(string userId, TokenId familyId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        return await tokens.RevokeAsync(familyId, keys.RefreshIndex(user), keys.RefreshFamiliesOf(user), cancellationToken).ConfigureAwait(false)
            ? Revocation.One
            : Revocation.Nothing;
    }

    /// <inheritdoc/>
    public async Task<Revocation> RevokeAllAsync(string userId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        return new Revocation(
            await tokens.RevokeAllAsync(keys.RefreshIndex(user), keys.RefreshFamiliesOf(user), cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public async Task<Revocation> RevokeForSessionAsync(string userId, SessionId sessionId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        return sessionId == default ? Revocation.Nothing : new Revocation((int)await connection.EvaluateAsync(
            EndSession,
            [keys.RefreshIndex(user)],
            [keys.RefreshFamiliesOf(user), sessionId.Value, keys.SessionsOf(user)],
            cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public async Task<int> MoveSessionAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        return from == default || to == default ? 0 : (int)await connection.EvaluateAsync(
            MoveSession,
            [keys.RefreshIndex(user)],
            [keys.RefreshFamiliesOf(user), from.Value, to.Value],
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<int> CarryOverAsync(string userId, SessionId? kept, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        return (int)await connection.EvaluateAsync(
            CarryOver,
            [keys.RefreshIndex(user), keys.Generation(user)],
            [keys.RefreshFamiliesOf(user), kept?.Value ?? "", keys.SessionsOf(user)],
            cancellationToken).ConfigureAwait(false);
    }

    private static RedisScript Load(string name) => RedisScript.Load(typeof(RedisRefreshTokenStore).Assembly, $"RefreshTokens/{name}.lua");
}
