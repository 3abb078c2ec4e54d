using System.Text.Json.Nodes;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.UserData;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Archive;

/// <summary>The archive's part when all of a user is exported or erased. That sessions ended stays remembered, by hashes, until they would have expired.</summary>
public sealed class ArchiveUserData(ISessionArchive archive, IOptionsMonitor<SessionOptions> options, TimeProvider timeProvider) : IUserDataSource
{
    /// <inheritdoc/>
    public string Name => "archive";

    /// <inheritdoc/>
    public async Task<JsonNode?> ExportAsync(string userId, CancellationToken cancellationToken)
    {
        var sessions = await archive.ListAsync(UserReference.Of(userId), cancellationToken).ConfigureAwait(false);
        var (life, now) = (options.CurrentValue.ClientDetailsLife, timeProvider.GetUtcNow());
        return sessions.Count == 0
            ? null
            : new JsonArray([.. sessions.OrderBy(session => session.CreatedAt).Select(session => Plain(ClientDetails.Hide(session, life, now)))]);
    }

    /// <inheritdoc/>
    public async Task<long> EraseAsync(string userId, CancellationToken cancellationToken) =>
        await archive.EraseAsync(UserReference.Of(userId), options.CurrentValue.AbsoluteExpiration, cancellationToken).ConfigureAwait(false);

    private static JsonObject Plain(Session session) => new()
    {
        ["id"] = session.Id.Value,
        ["created_at"] = session.CreatedAt,
        ["last_seen_at"] = session.LastSeenAt,
        ["authenticated_at"] = session.AuthenticatedAt,
        ["expires_at"] = session.ExpiresAt,
        ["absolute_expires_at"] = session.AbsoluteExpiresAt,
        ["ip_address"] = session.IpAddress?.ToString(),
        ["user_agent"] = session.UserAgent,
        ["device_name"] = session.DeviceName,
        ["claims"] = new JsonObject(session.Claims.Select(claim => KeyValuePair.Create<string, JsonNode?>(claim.Key, claim.Value))),
    };
}
