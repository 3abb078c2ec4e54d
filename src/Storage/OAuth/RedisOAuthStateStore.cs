using Maintenance.Storage.Redis;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.OAuth;

/// <summary>OAuth states in Redis: <c>SET NX PX</c> and <c>GETDEL</c>, so exactly one redemption wins.</summary>
public sealed class RedisOAuthStateStore(RedisConnection connection, RedisKeys keys, IOptionsMonitor<OAuthStateOptions> options) : OAuthStateStore(options)
{
    private protected override async Task KeepAsync(string id, byte[] sealedState, TimeSpan life, CancellationToken cancellationToken)
    {
        var kept = await connection.CallAsync(
            database => database.StringSetAsync(keys.OAuthState(id), sealedState, life, When.NotExists), cancellationToken).ConfigureAwait(false);
        if (!kept)
        {
            throw new InvalidOperationException("Two states of 256 random bits have the same id; the random number generator is broken, or the key was planted.");
        }
    }

    private protected override async Task<byte[]?> TakeAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            return (byte[]?)await connection.CallAsync(
                database => database.ExecuteAsync("GETDEL", (RedisKey)keys.OAuthState(id)), cancellationToken).ConfigureAwait(false);
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            // Something else's key under this name is no state.
            return null;
        }
    }
}
