namespace Maintenance.Storage.UserData;

/// <summary>
/// Redis, and what this host's memory has taken over while Redis was away. An erasure empties both; a list is what Redis holds. While Redis is away
/// either throws, because to answer from memory alone would be to say that there is no more.
/// </summary>
internal sealed class BothUserDataStore(RedisUserDataStore redis, MemoryUserDataStore memory) : IUserDataStore
{
    public Task<UserDataSet> ReadAsync(string userId, CancellationToken cancellationToken) => redis.ReadAsync(userId, cancellationToken);

    public async Task<long> EraseAsync(string userId, CancellationToken cancellationToken) =>
        await memory.EraseAsync(userId, cancellationToken).ConfigureAwait(false) + await redis.EraseAsync(userId, cancellationToken).ConfigureAwait(false);
}
