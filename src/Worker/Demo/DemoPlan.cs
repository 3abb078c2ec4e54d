using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;

namespace Maintenance.Worker.Demo;

/// <summary>What the demo breaks on purpose.</summary>
internal enum DemoDamage
{
    /// <summary>Index members past their time whose session is gone.</summary>
    ExpiredMembers,

    /// <summary>Index members whose session was deleted behind the index's back.</summary>
    DeletedSessions,

    /// <summary>Live sessions that their index does not have.</summary>
    MissingSessions,

    /// <summary>Whole indexes deleted; their sessions count as missing too.</summary>
    LostIndexes,

    /// <summary>Sessions that a log-out-everywhere could not find because the index was lost.</summary>
    RevokedSessions,

    /// <summary>Keys without a TTL, of several kinds.</summary>
    MissingTtl,

    /// <summary>Index members whose score is not their session's expiry.</summary>
    WrongExpiry,

    /// <summary>Members of refresh families', challenges' and resets' indexes past their time whose token is gone.</summary>
    ExpiredTokenMembers,

    /// <summary>Members of those indexes whose token was deleted behind the index's back.</summary>
    DeletedTokens,

    /// <summary>Refresh families that no index names: they are valid no more, and would stay till their time is over.</summary>
    OrphanedTokens,

    /// <summary>Members of token indexes whose score is not their token's expiry.</summary>
    WrongTokenExpiry,

    /// <summary>Tokens, their indexes, second-factor counts, denials, activities and totals without a TTL.</summary>
    MissingTokenTtl,
}

/// <summary>What was planted, and what must be true afterwards. The jobs never see it.</summary>
internal sealed class DemoPlan
{
    /// <summary>Users in the store.</summary>
    public int Users { get; set; }

    /// <summary>Sessions created.</summary>
    public int Sessions { get; set; }

    /// <summary>Damage by kind.</summary>
    public SortedDictionary<DemoDamage, long> Planted { get; } = new(Enum.GetValues<DemoDamage>().ToDictionary(kind => kind, _ => 0L));

    /// <summary>Tokens that must validate when all is mended.</summary>
    public List<SessionToken> Live { get; } = [];

    /// <summary>Tokens that must not.</summary>
    public List<SessionToken> Dead { get; } = [];

    /// <summary>Refresh tokens that must rotate when all is mended.</summary>
    public List<RefreshToken> LiveFamilies { get; } = [];

    /// <summary>Refresh tokens that must not.</summary>
    public List<RefreshToken> DeadFamilies { get; } = [];
}
