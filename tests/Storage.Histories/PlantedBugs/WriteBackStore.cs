using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using StackExchange.Redis;

namespace Maintenance.Storage.Histories.PlantedBugs;

/// <summary>Reads a record, validates, and saves the record that it read: the late save of many session middlewares.</summary>
internal sealed class WriteBackStore(ISessionStore inner, RedisConnection connection, RedisKeys keys) : PassingStore(inner)
{
    public override async Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken)
    {
        if (!SessionToken.TryParse(token, out var parsed))
        {
            return await base.ValidateAsync(token, cancellationToken);
        }

        RedisKey key = keys.Session(parsed.User, parsed.Id);
        var record = await connection.CallAsync(database => database.StringGetAsync(key), cancellationToken);
        var validation = await base.ValidateAsync(token, cancellationToken);
        if (validation.Session is { } session && session.Id == parsed.Id && !record.IsNull)
        {
            await connection.CallAsync(database => database.StringSetAsync(key, record, session.SlidingExpiration), cancellationToken);
        }

        return validation;
    }
}
