using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Tokens;

/// <summary>What the stores of the three kinds do alike: list, end one, end all. The keys and the shortest record make the difference.</summary>
internal sealed class RedisTokens(RedisConnection connection, RedisKeys keys, int shortestRecord)
{
    // The highest cap that any option allows.
    private const int MostListed = 1_000;

    /// <summary>Looks at one token; every kind calls it with the same keys and arguments.</summary>
    public static readonly RedisScript Peek = Load("peek");

    private static readonly RedisScript List = Load("list");
    private static readonly RedisScript Revoke = Load("revoke");
    private static readonly RedisScript RevokeAll = Load("revoke_all");

    /// <summary>The records that may be used, those that expire last first. What cannot be read by this version is still to be left out.</summary>
    public async Task<IReadOnlyList<(TokenId Id, byte[] Record)>> ListAsync(UserReference user, string index, string prefix, CancellationToken cancellationToken)
    {
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            List, [index, keys.Generation(user)], [prefix, shortestRecord, MostListed], cancellationToken).ConfigureAwait(false));
        var found = new List<(TokenId, byte[])>(reply.Length / 2);
        for (var i = 0; i + 1 < reply.Length; i += 2)
        {
            if (TokenId.TryParse((string?)reply[i], out var id))
            {
                found.Add((id, (byte[])reply[i + 1]!));
            }
        }

        return found;
    }

    /// <summary>Ends one. A record of an unknown format is out of its index and so not valid any more, but left in place.</summary>
    public async Task<bool> RevokeAsync(TokenId id, string index, string prefix, CancellationToken cancellationToken) =>
        id != default
        && (int)await connection.EvaluateAsync(
            Revoke, [prefix + id.Value, index], [id.Value, prefix, shortestRecord], cancellationToken).ConfigureAwait(false) != 0;

    /// <summary>Ends all, also those that could not be listed; returns how many records were deleted.</summary>
    public async Task<int> RevokeAllAsync(string index, string prefix, CancellationToken cancellationToken) =>
        (int)await connection.EvaluateAsync(RevokeAll, [index], [prefix, shortestRecord, MostListed], cancellationToken).ConfigureAwait(false);

    private static RedisScript Load(string name) => RedisScript.Load(typeof(RedisTokens).Assembly, $"Tokens/{name}.lua");
}
