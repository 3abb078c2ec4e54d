using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Tokens;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.OneTimeTokens;

/// <summary>One-time tokens in Redis: the key is the hash of the secret, redemption one script on Redis's clock.</summary>
public sealed class RedisOneTimeTokenStore : IOneTimeTokenStore
{
    private static readonly RedisScript Issue = Load("issue");
    private static readonly RedisScript Redeem = Load("redeem");

    private readonly RedisConnection connection;
    private readonly RedisKeys keys;
    private readonly IOptionsMonitor<OneTimeTokenOptions> options;
    private readonly IOptionsMonitor<TokenLifetimeOptions> lifetimes;
    private readonly RedisTokens tokens;

    /// <summary>Creates the store.</summary>
    public RedisOneTimeTokenStore(
        RedisConnection connection, RedisKeys keys, IOptionsMonitor<OneTimeTokenOptions> options, IOptionsMonitor<TokenLifetimeOptions> lifetimes)
    {
        this.connection = connection;
        this.keys = keys;
        this.options = options;
        this.lifetimes = lifetimes;
        tokens = new RedisTokens(connection, keys, OneTimeTokenFormat.Shortest);
    }

    /// <inheritdoc/>
    public async Task<IssuedOneTimeToken> IssueAsync(OneTimePurpose purpose, string userId, string? data, CancellationToken cancellationToken)
    {
        var (user, kind, current) = (UserReference.Of(userId), purpose.Kind(), options.CurrentValue);
        var life = TokenLife.Milliseconds(current.LifeOf(purpose, lifetimes.CurrentValue), nameof(purpose));
        var token = SecretToken.Create(user);
        var prefix = keys.OneTimeTokensOf(kind, user);
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            Issue,
            [prefix + token.Id.Value, keys.OneTimeIndex(kind, user), keys.Generation(user)],
            [token.Id.Value, prefix, OneTimeTokenFormat.Shortest, life, current.MaxActivePerUser, OneTimeTokenFormat.EncodeBody(userId, data)],
            cancellationToken).ConfigureAwait(false));
        var stored = OneTimeTokenFormat.Decode(user, token.Id, purpose, (byte[])reply[0]!)
            ?? throw new InvalidOperationException("The script returned a record that cannot be read.");
        return new IssuedOneTimeToken(token, stored, (int)reply[1]);
    }

    /// <inheritdoc/>
    public Task<OneTimeRedemption> RedeemAsync(OneTimePurpose purpose, string? token, CancellationToken cancellationToken) =>
        AskAsync(Redeem, purpose, token, cancellationToken);

    /// <inheritdoc/>
    public Task<OneTimeRedemption> PeekAsync(OneTimePurpose purpose, string? token, CancellationToken cancellationToken) =>
        AskAsync(RedisTokens.Peek, purpose, token, cancellationToken);

    /// <inheritdoc/>
    public async Task<int> CountActiveAsync(OneTimePurpose purpose, string userId, CancellationToken cancellationToken)
    {
        var (user, kind) = (UserReference.Of(userId), purpose.Kind());
        var found = await tokens.ListAsync(user, keys.OneTimeIndex(kind, user), keys.OneTimeTokensOf(kind, user), cancellationToken).ConfigureAwait(false);
        return found.Count(item => OneTimeTokenFormat.Decode(user, item.Id, purpose, item.Record) is not null);
    }

    /// <inheritdoc/>
    public async Task<Revocation> InvalidateAllAsync(OneTimePurpose purpose, string userId, CancellationToken cancellationToken)
    {
        var (user, kind) = (UserReference.Of(userId), purpose.Kind());
        return new Revocation(
            await tokens.RevokeAllAsync(keys.OneTimeIndex(kind, user), keys.OneTimeTokensOf(kind, user), cancellationToken).ConfigureAwait(false));
    }

    private async Task<OneTimeRedemption> AskAsync(RedisScript script, OneTimePurpose purpose, string? token, CancellationToken cancellationToken)
    {
        var kind = purpose.Kind();
        if (!SecretToken.TryParse(token, out var parsed))
        {
            return OneTimeRedemption.Denied(TokenDenial.Malformed);
        }

        var prefix = keys.OneTimeTokensOf(kind, parsed.User);
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            script,
            [prefix + parsed.Id.Value, keys.OneTimeIndex(kind, parsed.User), keys.Generation(parsed.User)],
            [parsed.Id.Value, prefix, OneTimeTokenFormat.Shortest],
            cancellationToken).ConfigureAwait(false));
        if (reply.Length < 2)
        {
            return OneTimeRedemption.Denied(TokenDenials.Parse((string?)reply[0]));
        }

        var stored = OneTimeTokenFormat.Decode(parsed.User, parsed.Id, purpose, (byte[])reply[1]!);
        return stored is null ? OneTimeRedemption.Denied(TokenDenial.Unreadable) : new OneTimeRedemption(stored);
    }

    private static RedisScript Load(string name) => RedisScript.Load(typeof(RedisOneTimeTokenStore).Assembly, $"OneTimeTokens/{name}.lua");
}
