namespace Maintenance.Worker.ForeignLayouts;

/// <summary>Every store that other programs write, by name. Bound from <c>KeySpaces</c>.</summary>
public sealed class KeySpacesOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "KeySpaces";

    /// <summary>The stores by name; the name is their label <c>keyspace</c> in metrics and a part of the counts' names.</summary>
    public IDictionary<string, KeySpaceOptions> Spaces { get; } = new Dictionary<string, KeySpaceOptions>(StringComparer.Ordinal);
}

/// <summary>Where another program keeps its sessions and the index of a user's. Bound from <c>KeySpaces:&lt;name&gt;</c>.</summary>
public sealed class KeySpaceOptions
{
    /// <summary>Name of a session's key, with <c>{session}</c> and, if it is there, <c>{user}</c>: <c>sess:{session}</c>. No prefix of ours is put in front.</summary>
    public string Sessions { get; set; } = "";

    /// <summary>Name of a user's index, with <c>{user}</c>: <c>user_sessions:{user}</c>.</summary>
    public string Index { get; set; } = "";

    /// <summary>What kind of value the index is. Default a set.</summary>
    public IndexType IndexType { get; set; } = IndexType.Set;

    /// <summary>A member of the index, with <c>{session}</c>; for programs that keep the whole name of the key, <c>sess:{session}</c>. Default the id alone.</summary>
    public string Member { get; set; } = KeyPattern.Session;

    /// <summary>Where a session's user is found. Default in the JSON that is its value.</summary>
    public UserSource User { get; set; } = UserSource.Json;

    /// <summary>The JSON properties with dots between (<c>passport.user</c>), or the name of the hash field.</summary>
    public string UserPath { get; set; } = "";

    /// <summary>How members, and the user in a hash field, are written. Default plain text.</summary>
    public ValueEncoding Encoding { get; set; } = ValueEncoding.Text;

    /// <summary>What a sorted set's score says. Default nothing that could be compared.</summary>
    public ScoreMeaning Score { get; set; } = ScoreMeaning.Unknown;

    /// <summary>A score that is further than this from the session's expiry is wrong. Default 1 min.</summary>
    public TimeSpan ScoreTolerance { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Whether the program gives its indexes a TTL. Then a session that is put back takes care that its index lives as long as it does; otherwise no
    /// index is given one, because the program would not extend it. Default false.
    /// </summary>
    public bool IndexExpires { get; set; }

    /// <summary>What may be done. Default only to report.</summary>
    public KeySpaceAction Action { get; set; } = KeySpaceAction.Report;

    /// <summary>
    /// Only what a pass at least so long before saw too is mended: such a program writes session and index one after the other, and nothing else tells a
    /// log-in or log-out on its way from damage. Default 10 min.
    /// </summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromMinutes(10);
}

/// <summary>What kind of value an index is.</summary>
public enum IndexType
{
    /// <summary>A set of members.</summary>
    Set,

    /// <summary>A sorted set of members.</summary>
    SortedSet,
}

/// <summary>Where a session's user is found.</summary>
public enum UserSource
{
    /// <summary>Nowhere: members without a session are found, sessions without a member are not.</summary>
    None,

    /// <summary>In the name of the session's key.</summary>
    Name,

    /// <summary>In the session's value, which is JSON.</summary>
    Json,

    /// <summary>In a field of the session's value, which is a hash.</summary>
    Hash,
}

/// <summary>How a text is written into a value.</summary>
public enum ValueEncoding
{
    /// <summary>As it is, in UTF-8.</summary>
    Text,

    /// <summary>As a JSON string, with quotes (Spring Session with a JSON serializer).</summary>
    Json,

    /// <summary>As Java serializes a string (Spring Session by default).</summary>
    Java,
}

/// <summary>What a sorted set's score says.</summary>
public enum ScoreMeaning
{
    /// <summary>Nothing that could be compared: it is left alone, and no session can be put back.</summary>
    Unknown,

    /// <summary>When the session ends, in seconds since 1970.</summary>
    ExpirySeconds,

    /// <summary>When the session ends, in milliseconds since 1970.</summary>
    ExpiryMilliseconds,
}

/// <summary>What the worker may do to a store of another program.</summary>
public enum KeySpaceAction
{
    /// <summary>Count what is wrong.</summary>
    Report,

    /// <summary>Mend what two passes saw.</summary>
    Repair,
}
