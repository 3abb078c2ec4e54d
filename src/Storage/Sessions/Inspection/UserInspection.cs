using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Sessions.Inspection;

/// <summary>What a session's key turned out to hold.</summary>
public enum InspectedState
{
    /// <summary>A session that validates.</summary>
    Valid,

    /// <summary>A session of another generation, or of a user without one: it does not validate.</summary>
    Revoked,

    /// <summary>Nothing: a member of the index whose session is gone.</summary>
    Gone,

    /// <summary>The alias that a rotation leaves for its grace.</summary>
    Alias,

    /// <summary>Not a record that this version can read.</summary>
    Unreadable,
}

/// <summary>A session of a user as it stands in Redis.</summary>
/// <param name="Id">Names it; no secret.</param>
/// <param name="State">What the key holds.</param>
/// <param name="Session">The record, if it could be read, valid or not.</param>
/// <param name="IndexScore">The index's expiry for it; null when the index does not have it.</param>
/// <param name="TimeToLive">The key's remaining life; null when it has none or is gone.</param>
public sealed record InspectedSession(SessionId Id, InspectedState State, Session? Session, DateTimeOffset? IndexScore, TimeSpan? TimeToLive);

/// <summary>Another key of the user.</summary>
/// <param name="Name">The whole name.</param>
/// <param name="Kind">What its name says it is; null when it does not match the grammar.</param>
/// <param name="TimeToLive">Remaining life; null when it has none.</param>
public sealed record InspectedKey(string Name, StateKind? Kind, TimeSpan? TimeToLive);

/// <summary>Everything of a user that a person may see.</summary>
/// <param name="User">The reference that the user's keys carry.</param>
/// <param name="Generation">The user's generation, microseconds; null when missing or unreadable, which denies every session.</param>
/// <param name="IndexMembers">Members of the index.</param>
/// <param name="IndexTimeToLive">The index's remaining life; null when it has none or is gone.</param>
/// <param name="Sessions">Sessions, at most <see cref="UserInspector.MostSessions"/> of the index.</param>
/// <param name="OtherKeys">Found by a scan only: every other key with the user's reference.</param>
public sealed record UserInspection(
    UserReference User,
    long? Generation,
    long IndexMembers,
    TimeSpan? IndexTimeToLive,
    IReadOnlyList<InspectedSession> Sessions,
    IReadOnlyList<InspectedKey> OtherKeys)
{
    /// <summary>Names of the index or generation where the key holds another type than it should, as a foreign program leaves it.</summary>
    public IReadOnlyList<string> UnreadableKeys { get; init; } = [];
}
