using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Tokens;

/// <summary>One token in memory, with what token.lua keeps in a record's header.</summary>
internal sealed record MemoryToken<T>(TokenId Id, T Value, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, long Generation);

/// <summary>
/// The in-memory twin of token.lua: tokens of one kind, by user. Every method must be called with the user's gate held.
/// </summary>
internal sealed class MemoryTokens<T>(string store, MemoryUsers users, MemoryOptions options, TimeProvider timeProvider) : IDisposable
{
    private readonly ExpiringMap<(UserReference User, TokenId Id), MemoryToken<T>> tokens = new(options.MaxEntriesPerKind, timeProvider, options.SweepInterval);
    private readonly ExpiringMap<UserReference, List<TokenId>> index = new(options.MaxEntriesPerKind, timeProvider, options.SweepInterval);

    /// <summary>Tokens held.</summary>
    public int Count => tokens.Count;

    /// <summary>Stores a new token; what would expire first leaves when the user has <paramref name="cap"/> already.</summary>
    /// <exception cref="StorageUnavailableException">The store is at its cap; nothing was stored.</exception>
    public (MemoryToken<T> Token, int Evicted) Add(UserReference user, TokenId id, T value, TimeSpan life, int cap)
    {
        var generation = users.GenerationFor(user, life);
        var now = users.Now;
        var token = new MemoryToken<T>(id, value, now, now + life, generation);
        var ids = Ids(user);
        var evicted = 0;
        while (ids.Count >= cap)
        {
            tokens.Remove((user, ids[0]));
            ids.RemoveAt(0);
            evicted++;
        }

        if (!tokens.TrySet((user, id), token, life))
        {
            throw MemoryOptions.Full(store, options.MaxEntriesPerKind);
        }

        ids.Insert(ids.TakeWhile(other => tokens.TryGet((user, other), out var there) && there.ExpiresAt <= token.ExpiresAt).Count(), id);
        var last = tokens.TryGet((user, ids[^1]), out _, out var longest) ? longest : life;
        if (!index.TrySet(user, ids, last))
        {
            tokens.Remove((user, id));
            throw MemoryOptions.Full(store, options.MaxEntriesPerKind);
        }

        return (token, evicted);
    }

    /// <summary>The token if it may be used, or why not.</summary>
    public TokenDenial Find(UserReference user, TokenId id, out MemoryToken<T>? token)
    {
        if (!tokens.TryGet((user, id), out token))
        {
            return TokenDenial.NotFound;
        }

        if (token.Generation == users.Generation(user))
        {
            return TokenDenial.None;
        }

        token = null;
        return TokenDenial.Revoked;
    }

    /// <summary>The token whatever the user's generation is; null when there is none.</summary>
    public MemoryToken<T>? Peek(UserReference user, TokenId id) => tokens.TryGet((user, id), out var token) ? token : null;

    /// <summary>Writes a token back with the life that it has.</summary>
    public void Replace(UserReference user, MemoryToken<T> token)
    {
        if (tokens.TryGet((user, token.Id), out _, out var left))
        {
            tokens.TrySet((user, token.Id), token, left);
        }
    }

    /// <summary>Ends a token. Whether there was one.</summary>
    public bool Remove(UserReference user, TokenId id)
    {
        var ids = Ids(user);
        ids.Remove(id);
        if (ids.Count == 0)
        {
            index.Remove(user);
        }

        return tokens.Remove((user, id));
    }

    /// <summary>Ends all of a user's tokens; how many there were.</summary>
    public int RemoveAll(UserReference user)
    {
        var ended = Ids(user).Count(id => tokens.Remove((user, id)));
        index.Remove(user);
        return ended;
    }

    /// <summary>A user's tokens, usable or not, those that expire last first.</summary>
    public IReadOnlyList<MemoryToken<T>> All(UserReference user) => [.. Ids(user).Select(id => Peek(user, id)).OfType<MemoryToken<T>>().Reverse()];

    /// <summary>A user's tokens that may be used, those that expire last first.</summary>
    public IReadOnlyList<MemoryToken<T>> Live(UserReference user)
    {
        var generation = users.Generation(user);
        return [.. All(user).Where(token => token.Generation == generation)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        tokens.Dispose();
        index.Dispose();
    }

    private List<TokenId> Ids(UserReference user)
    {
        if (!index.TryGet(user, out var ids))
        {
            return [];
        }

        ids.RemoveAll(id => !tokens.TryGet((user, id), out _));
        return ids;
    }
}
