using Maintenance.Storage.Memory;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Tokens;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.OneTimeTokens;

/// <summary>One-time tokens of one process, with the semantics of <see cref="RedisOneTimeTokenStore"/>.</summary>
public sealed class InMemoryOneTimeTokenStore : IOneTimeTokenStore, IDisposable
{
    private readonly MemoryUsers users;
    private readonly IOptionsMonitor<OneTimeTokenOptions> options;
    private readonly IOptionsMonitor<TokenLifetimeOptions> lifetimes;
    private readonly Dictionary<OneTimePurpose, MemoryTokens<Stored>> tokens;

    internal InMemoryOneTimeTokenStore(
        MemoryUsers users,
        IOptionsMonitor<OneTimeTokenOptions> options,
        IOptionsMonitor<TokenLifetimeOptions> lifetimes,
        MemoryOptions memory,
        TimeProvider timeProvider)
    {
        this.users = users;
        this.options = options;
        this.lifetimes = lifetimes;
        tokens = OneTimePurposes.All.ToDictionary(
            purpose => purpose, _ => new MemoryTokens<Stored>(InstrumentedOneTimeTokenStore.StoreLabel, users, memory, timeProvider));
    }

    /// <inheritdoc/>
    public Task<IssuedOneTimeToken> IssueAsync(OneTimePurpose purpose, string userId, string? data, CancellationToken cancellationToken)
    {
        // The Redis store refuses by the same bounds.
        OneTimeTokenFormat.EncodeBody(userId, data);
        return users.LockedAsync(userId, Issue, cancellationToken);

        IssuedOneTimeToken Issue(UserReference user)
        {
            var current = options.CurrentValue;
            var token = SecretToken.Create(user);
            var life = current.LifeOf(purpose, lifetimes.CurrentValue);
            var (stored, evicted) = tokens[purpose].Add(user, token.Id, new Stored(userId, data ?? ""), life, current.MaxActivePerUser);
            return new IssuedOneTimeToken(token, Public(purpose, stored), evicted);
        }
    }

    /// <inheritdoc/>
    public Task<OneTimeRedemption> RedeemAsync(OneTimePurpose purpose, string? token, CancellationToken cancellationToken) =>
        AskAsync(purpose, token, use: true, cancellationToken);

    /// <inheritdoc/>
    public Task<OneTimeRedemption> PeekAsync(OneTimePurpose purpose, string? token, CancellationToken cancellationToken) =>
        AskAsync(purpose, token, use: false, cancellationToken);

    /// <inheritdoc/>
    public Task<int> CountActiveAsync(OneTimePurpose purpose, string userId, CancellationToken cancellationToken) =>
        users.LockedAsync(userId, user => tokens[purpose].Live(user).Count, cancellationToken);

    /// <inheritdoc/>
    public Task<Revocation> InvalidateAllAsync(OneTimePurpose purpose, string userId, CancellationToken cancellationToken) =>
        users.LockedAsync(userId, user => new Revocation(tokens[purpose].RemoveAll(user)), cancellationToken);

    /// <summary>A user's tokens that could be redeemed.</summary>
    internal IReadOnlyList<OneTimeToken> All(UserReference user)
    {
        lock (users.Gate(user))
        {
            return [.. tokens.SelectMany(table => table.Value.Live(user).Select(token => Public(table.Key, token)))];
        }
    }

    /// <summary>Forgets a user's tokens; how many there were. To be called with the user's gate held.</summary>
    internal long EraseUser(UserReference user) => tokens.Values.Sum(table => (long)table.RemoveAll(user));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var table in tokens.Values)
        {
            table.Dispose();
        }
    }

    private Task<OneTimeRedemption> AskAsync(OneTimePurpose purpose, string? token, bool use, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!SecretToken.TryParse(token, out var parsed))
        {
            return Task.FromResult(OneTimeRedemption.Denied(TokenDenial.Malformed));
        }

        lock (users.Gate(parsed.User))
        {
            var denial = tokens[purpose].Find(parsed.User, parsed.Id, out var found);
            if (found is null)
            {
                return Task.FromResult(OneTimeRedemption.Denied(denial));
            }

            if (use)
            {
                tokens[purpose].Remove(parsed.User, parsed.Id);
            }

            return Task.FromResult(new OneTimeRedemption(Public(purpose, found)));
        }
    }

    private static OneTimeToken Public(OneTimePurpose purpose, MemoryToken<Stored> token) => new()
    {
        Id = token.Id,
        Purpose = purpose,
        UserId = token.Value.UserId,
        Data = token.Value.Data,
        CreatedAt = token.CreatedAt,
        ExpiresAt = token.ExpiresAt,
    };

    private sealed record Stored(string UserId, string Data);
}
