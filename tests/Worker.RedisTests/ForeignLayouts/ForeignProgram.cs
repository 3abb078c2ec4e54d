using System.Text;
using Maintenance.Worker.ForeignLayouts;

namespace Maintenance.Worker.RedisTests.ForeignLayouts;

/// <summary>Another program that keeps its sessions in Redis, byte for byte as it writes them. Nothing here uses what it tests.</summary>
internal abstract class ForeignProgram(Func<byte[][], Task<object?>> redis)
{
    public static readonly TimeSpan Life = TimeSpan.FromHours(24);

    /// <summary>Under this name it is configured.</summary>
    public abstract string Name { get; }

    /// <summary>How it is configured, without what may be done.</summary>
    public abstract KeySpaceOptions Options { get; }

    public abstract bool ScoresExpiry { get; }

    protected static long Ends => TimeProvider.System.GetUtcNow().Add(Life).ToUnixTimeMilliseconds();

    protected static string Seconds { get; } = $"{(long)Life.TotalSeconds}";

    public abstract string SessionKey(string user, string session);

    public abstract string IndexKey(string user);

    /// <summary>Writes the session alone.</summary>
    public abstract Task StartAsync(string user, string session);

    /// <summary>Writes the index's entry alone.</summary>
    public abstract Task ListAsync(string user, string session);

    public virtual string NewSession() => Guid.NewGuid().ToString("N");

    public async Task<string> LogInAsync(string user)
    {
        var session = NewSession();
        await StartAsync(user, session);
        await ListAsync(user, session);
        return session;
    }

    public async Task LogOutAsync(string user, string session)
    {
        await EndAsync(user, session);
        await SendAsync([.. Remove(user), Member(session)]);
    }

    public Task EndAsync(string user, string session) => SendAsync("DEL", SessionKey(user, session));

    public Task UnlistAsync(string user, string session) => SendAsync([.. Remove(user), Member(session)]);

    public Task LoseIndexAsync(string user) => SendAsync("DEL", IndexKey(user));

    public async Task<bool> IsListedAsync(string user, string session) => Options.IndexType == IndexType.Set
        ? await SendAsync([.. Words("SISMEMBER", IndexKey(user)), Member(session)]) is 1L
        : await SendAsync([.. Words("ZSCORE", IndexKey(user)), Member(session)]) is not null;

    public async Task<long> LengthAsync(string user) => (long)(await SendAsync(Options.IndexType == IndexType.Set ? "SCARD" : "ZCARD", IndexKey(user)))!;

    public async Task<bool> LivesAsync(string user, string session) => await SendAsync("EXISTS", SessionKey(user, session)) is 1L;

    public Task ScoreAsync(string user, string session, string score) => SendAsync([.. Words("ZADD", IndexKey(user), score), Member(session)]);

    public async Task<double> ScoreAsync(string user, string session) =>
        double.Parse(Encoding.UTF8.GetString((byte[])(await SendAsync([.. Words("ZSCORE", IndexKey(user)), Member(session)]))!), System.Globalization.CultureInfo.InvariantCulture);

    protected virtual byte[] Member(string session) => Encoding.UTF8.GetBytes(session);

    protected static byte[][] Words(params string[] words) => [.. words.Select(Encoding.UTF8.GetBytes)];

    protected Task<object?> SendAsync(params string[] words) => redis(Words(words));

    protected Task<object?> SendAsync(byte[][] words) => redis(words);

    private byte[][] Remove(string user) => Words(Options.IndexType == IndexType.Set ? "SREM" : "ZREM", IndexKey(user));
}

/// <summary>express-session with connect-redis and passport, and a set of ids a user as the older backends keep it: no TTL.</summary>
internal sealed class ExpressProgram(Func<byte[][], Task<object?>> redis) : ForeignProgram(redis)
{
    public override string Name => "express";

    public override bool ScoresExpiry => false;

    public override KeySpaceOptions Options { get; } = new()
    {
        Sessions = "sess:{session}", User = UserSource.Json, UserPath = "passport.user", Index = "user_sessions:{user}",
    };

    public override string SessionKey(string user, string session) => $"sess:{session}";

    public override string IndexKey(string user) => $"user_sessions:{user}";

    public override Task StartAsync(string user, string session) => SendAsync(
        "SET", SessionKey(user, session), $$"""{"passport":{"user":"{{user}}"},"cookie":{"originalMaxAge":86400000,"httpOnly":true} }""", "EX", Seconds);

    public override Task ListAsync(string user, string session) => SendAsync("SADD", IndexKey(user), session);
}

/// <summary>Spring Session's RedisIndexedSessionRepository with its default serializer, its shadow keys and minute buckets.</summary>
internal sealed class SpringProgram(Func<byte[][], Task<object?>> redis) : ForeignProgram(redis)
{
    private const string Principal = "org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME";

    public override string Name => "spring";

    public override bool ScoresExpiry => false;

    public override KeySpaceOptions Options { get; } = new()
    {
        Sessions = "spring:session:sessions:{session}",
        User = UserSource.Hash,
        UserPath = $"sessionAttr:{Principal}",
        Index = $"spring:session:index:{Principal}:{{user}}",
        Encoding = ValueEncoding.Java,
    };

    public override string NewSession() => Guid.NewGuid().ToString("D");

    public override string SessionKey(string user, string session) => $"spring:session:sessions:{session}";

    public override string IndexKey(string user) => $"spring:session:index:{Principal}:{user}";

    public override async Task StartAsync(string user, string session)
    {
        byte[][] value = [.. Words("HSET", SessionKey(user, session), $"sessionAttr:{Principal}"), Java(user), .. Words("maxInactiveInterval", "1800")];
        await SendAsync(value);
        await SendAsync("EXPIRE", SessionKey(user, session), Seconds);
        await SendAsync("SET", $"spring:session:sessions:expires:{session}", "", "EX", Seconds);
        byte[][] bucket = [.. Words("SADD", "spring:session:expirations:1800000000000"), Java($"expires:{session}")];
        await SendAsync(bucket);
    }

    public override Task ListAsync(string user, string session)
    {
        byte[][] words = [.. Words("SADD", IndexKey(user)), Java(session)];
        return SendAsync(words);
    }

    protected override byte[] Member(string session) => Java(session);

    // java.io.ObjectOutputStream.writeObject(String).
    private static byte[] Java(string text) => [0xAC, 0xED, 0x00, 0x05, 0x74, (byte)(text.Length >> 8), (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}

/// <summary>A backend with the user in the session's name, and sorted sets by expiry in milliseconds under the same names as ours without hash tags.</summary>
internal sealed class NamedProgram(Func<byte[][], Task<object?>> redis) : ForeignProgram(redis)
{
    public override string Name => "named";

    public override bool ScoresExpiry => true;

    public override KeySpaceOptions Options { get; } = new()
    {
        Sessions = "session:{user}:{session}",
        User = UserSource.Name,
        Index = "user:sessions:{user}",
        IndexType = IndexType.SortedSet,
        Score = ScoreMeaning.ExpiryMilliseconds,
    };

    public override string SessionKey(string user, string session) => $"session:{user}:{session}";

    public override string IndexKey(string user) => $"user:sessions:{user}";

    public override Task StartAsync(string user, string session) => SendAsync("SETEX", SessionKey(user, session), Seconds, "{}");

    public override Task ListAsync(string user, string session) => SendAsync("ZADD", IndexKey(user), $"{Ends}", session);
}

/// <summary>Hashes, whole key names as members, expiry in seconds, and indexes that end with their longest session.</summary>
internal sealed class HashProgram(Func<byte[][], Task<object?>> redis) : ForeignProgram(redis)
{
    public override string Name => "hashes";

    public override bool ScoresExpiry => true;

    public override KeySpaceOptions Options { get; } = new()
    {
        Sessions = "app:s:{session}",
        User = UserSource.Hash,
        UserPath = "uid",
        Index = "app:u:{user}",
        IndexType = IndexType.SortedSet,
        Member = "app:s:{session}",
        Score = ScoreMeaning.ExpirySeconds,
        IndexExpires = true,
    };

    public override string SessionKey(string user, string session) => $"app:s:{session}";

    public override string IndexKey(string user) => $"app:u:{user}";

    public override async Task StartAsync(string user, string session)
    {
        await SendAsync("HSET", SessionKey(user, session), "uid", user, "seen", "1");
        await SendAsync("EXPIRE", SessionKey(user, session), Seconds);
    }

    public override async Task ListAsync(string user, string session)
    {
        await SendAsync("ZADD", IndexKey(user), $"{Ends / 1000}", SessionKey(user, session));
        await SendAsync("EXPIRE", IndexKey(user), Seconds);
    }

    protected override byte[] Member(string session) => Encoding.UTF8.GetBytes(SessionKey("", session));
}
