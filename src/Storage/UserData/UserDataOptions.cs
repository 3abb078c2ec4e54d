namespace Maintenance.Storage.UserData;

/// <summary>How a user's data is gathered. Bound from <c>Storage:UserData</c>.</summary>
public sealed class UserDataOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:UserData";

    /// <summary>
    /// Whether an export and an erasure also walk over the whole keyspace, for what no index names: cached values, and what damage has cut off from its
    /// index. It takes some seconds on a store of millions; without it such keys are left to their TTL. Default true.
    /// </summary>
    public bool Scan { get; set; } = true;
}
