using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.Denylist;

/// <summary>
/// The denylist in Redis, on Redis's clock. A check is one read a token, all in one flush; not MGET, which a cluster refuses across slots and
/// which answers "nothing there" for a key of another type.
/// </summary>
public sealed class RedisTokenDenylist(RedisConnection connection, RedisKeys keys, IOptionsMonitor<DenylistOptions> options) : ITokenDenylist
{
    private const int IdsPerFlush = 1000;

    private static readonly RedisScript Deny = RedisScript.Load(typeof(RedisTokenDenylist).Assembly, "Denylist/deny.lua");

    /// <inheritdoc/>
    public async Task<Revocation> DenyAsync(DenylistId id, DateTimeOffset? expiresAt, string? reason, CancellationToken cancellationToken)
    {
        DenylistGuard.Check(id);
        var current = options.CurrentValue;
        var until = expiresAt is { } expiry ? Math.Max(1, DenylistRecord.CeilingMilliseconds(expiry) + (long)current.ClockSkew.TotalMilliseconds) : 0;
        var reply = (int)await connection.EvaluateAsync(
            Deny,
            [keys.DenylistEntry(id)],
            [
                until, (long)Math.Ceiling(current.DefaultLife.TotalMilliseconds), (long)(current.LongestLife + current.ClockSkew).TotalMilliseconds,
                DenylistGuard.Reason(reason),
            ],
            cancellationToken).ConfigureAwait(false);
        return reply >= 0 ? new Revocation(reply) : throw DenylistGuard.TooLong(expiresAt, current);
    }

    /// <inheritdoc/>
    public async Task<bool> IsDeniedAsync(DenylistId id, CancellationToken cancellationToken) =>
        await FindAsync(id, cancellationToken).ConfigureAwait(false) is not null;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<bool>> AreDeniedAsync(IReadOnlyList<DenylistId> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        foreach (var id in ids)
        {
            DenylistGuard.Check(id);
        }

        var denied = new List<bool>(ids.Count);
        foreach (var page in ids.Chunk(IdsPerFlush))
        {
            var entries = await connection.CallAsync(
                database => Task.WhenAll(page.Select(id => ReadAsync(database, keys.DenylistEntry(id)))), cancellationToken).ConfigureAwait(false);
            denied.AddRange(entries.Select(entry => entry is not null));
        }

        return denied;
    }

    /// <inheritdoc/>
    public Task<DenylistEntry?> FindAsync(DenylistId id, CancellationToken cancellationToken)
    {
        DenylistGuard.Check(id);
        return connection.CallAsync(database => ReadAsync(database, keys.DenylistEntry(id)), cancellationToken);
    }

    private static async Task<DenylistEntry?> ReadAsync(IDatabase database, string key)
    {
        try
        {
            var value = await database.StringGetAsync(key).ConfigureAwait(false);
            return value.IsNull ? null : DenylistRecord.Parse(value.ToString());
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            // Something overwrote the entry. That it was there is all that a denial needs.
            return new DenylistEntry(null, null, null);
        }
    }
}

/// <summary>What both stores refuse alike.</summary>
internal static class DenylistGuard
{
    public static void Check(DenylistId id)
    {
        if (id == default)
        {
            throw new ArgumentException("The default value names no token.", nameof(id));
        }
    }

    public static string Reason(string? reason) => string.IsNullOrEmpty(reason) ? "" : RecordWriter.Cut(reason, DenylistEntry.MaxReasonBytes);

    public static ArgumentException TooLong(DateTimeOffset? expiresAt, DenylistOptions options) =>
        new($"The token expires at {expiresAt:O}, later than {DenylistOptions.Section}:{nameof(DenylistOptions.LongestLife)} ({options.LongestLife}) from now; it is not denied.", nameof(expiresAt));
}
