using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Histories.PlantedBugs;

/// <summary>Brings the record under its key in a second call, after the script that wrote the index.</summary>
internal sealed class LateRecordStore(ISessionStore inner, RedisConnection connection, RedisKeys keys) : PassingStore(inner)
{
    public const string Suffix = ":late";

    public override async Task<IssuedSession> CreateAsync(NewSession session, CancellationToken cancellationToken)
    {
        var issued = await base.CreateAsync(session, cancellationToken);
        var key = keys.Session(issued.Token.User, issued.Token.Id);
        await connection.CallAsync(database => database.KeyRenameAsync(key + Suffix, key), cancellationToken);
        return issued;
    }
}
