using System.Text.Json;
using System.Text.Json.Nodes;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.UserData;

/// <summary>The JSON of an export. Times are ISO 8601 in UTC.</summary>
internal static class UserDataDocument
{
    /// <summary>Names of the document's own parts, which no source may have.</summary>
    public static readonly string[] Parts =
    [
        "user_id", "exported_at", "sessions", "refresh_families", "one_time_tokens", "two_factor_challenges", "second_factor_attempts", "analytics",
        "activities", "cached",
    ];

    public static JsonObject Of(UserDataSet data, DateTimeOffset at) => new()
    {
        ["user_id"] = data.UserId,
        ["exported_at"] = at,
        ["sessions"] = Array(data.Sessions, Of),
        ["refresh_families"] = Array(data.RefreshFamilies, family => new JsonObject
        {
            ["id"] = family.Id.Value,
            ["session"] = family.SessionId?.Value,
            ["created_at"] = family.CreatedAt,
            ["expires_at"] = family.ExpiresAt,
            ["rotated_at"] = family.RotatedAt,
            ["rotations"] = family.Rotations,
        }),
        ["one_time_tokens"] = Array(data.OneTimeTokens, token => new JsonObject
        {
            ["id"] = token.Id.Value,
            ["purpose"] = JsonNamingPolicy.SnakeCaseLower.ConvertName(token.Purpose.ToString()),
            ["data"] = token.Data,
            ["created_at"] = token.CreatedAt,
            ["expires_at"] = token.ExpiresAt,
        }),
        ["two_factor_challenges"] = Array(data.Challenges, challenge => new JsonObject
        {
            ["id"] = challenge.Id.Value,
            ["method"] = challenge.Method,
            ["data"] = challenge.Data,
            ["attempts"] = challenge.Attempts,
            ["created_at"] = challenge.CreatedAt,
            ["expires_at"] = challenge.ExpiresAt,
        }),
        ["second_factor_attempts"] = data.SecondFactorAttempts,
        ["analytics"] = new JsonObject
        {
            ["total_logins"] = data.Analytics.TotalLogins,
            ["last_login_at"] = data.Analytics.LastLoginAt,
            ["devices"] = Array(data.Analytics.Devices, device => new JsonObject { ["name"] = device.Name, ["last_login_at"] = device.LastLoginAt }),
            ["past_sessions"] = Array(data.Analytics.PastSessions, session => new JsonObject
            {
                ["id"] = session.Id.Value,
                ["started_at"] = session.StartedAt,
                ["ended_at"] = session.EndedAt,
                ["device_name"] = session.DeviceName,
            }),
        },
        ["activities"] = Array(
            data.Activities.SelectMany(session => session.Value.Select(activity => (session.Key, Activity: activity))),
            item => new JsonObject
            {
                ["session"] = item.Key.Value,
                ["at"] = item.Activity.At,
                ["action"] = item.Activity.Action,
                ["detail"] = item.Activity.Detail,
            }),
        ["cached"] = new JsonObject(data.Cached.Select(value => KeyValuePair.Create(value.Key, Parsed(value.Value)))),
    };

    private static JsonObject Of(Session session) => new()
    {
        ["id"] = session.Id.Value,
        ["created_at"] = session.CreatedAt,
        ["last_seen_at"] = session.LastSeenAt,
        ["authenticated_at"] = session.AuthenticatedAt,
        ["expires_at"] = session.ExpiresAt,
        ["ip_address"] = session.IpAddress?.ToString(),
        ["user_agent"] = session.UserAgent,
        ["device_name"] = session.DeviceName,
        ["claims"] = new JsonObject(session.Claims.Select(claim => KeyValuePair.Create(claim.Key, (JsonNode?)claim.Value))),
    };

    private static JsonArray Array<T>(IEnumerable<T> items, Func<T, JsonObject> of) => [.. items.Select(of)];

    // Written by hosts as JSON; what is none is still the user's, as a text.
    private static JsonNode? Parsed(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
