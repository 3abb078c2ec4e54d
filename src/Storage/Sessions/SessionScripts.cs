using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Sessions;

/// <summary>The scripts of the session store. A test may replace one to plant a fault.</summary>
internal sealed record SessionScripts
{
    public static SessionScripts Default { get; } = new();

    public RedisScript Create { get; init; } = Load("create");

    public RedisScript Renew { get; init; } = Load("renew");

    public RedisScript Rotate { get; init; } = Load("rotate");

    public RedisScript Revoke { get; init; } = Load("revoke");

    public RedisScript Chain { get; init; } = Load("chain");

    public RedisScript RevokeAll { get; init; } = Load("revoke_all");

    /// <summary>False only in tests that prove that the generation check is missed when it is gone.</summary>
    public bool CheckGeneration { get; init; } = true;

    /// <summary>Newest record format that is read. Lower only in the test that plays an older program.</summary>
    public int NewestKnownFormat { get; init; } = SessionRecordFormat.Newest;

    private static RedisScript Load(string name) => RedisScript.Load(typeof(SessionScripts).Assembly, $"Sessions/{name}.lua");
}
