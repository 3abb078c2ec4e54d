namespace Maintenance.Storage.Redis;

/// <summary>How to reach Redis. Bound from the section <c>Storage:Redis</c>.</summary>
/// <remarks>
/// The names that the older backends used are accepted from the environment as well and rank below these:
/// <c>REDIS_URL</c>, <c>REDIS_HOST</c>, <c>REDIS_PORT</c>, <c>REDIS_PASSWORD</c>, <c>REDIS_DB</c>, <c>REDIS_ENABLED</c>.
/// </remarks>
public sealed class RedisOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:Redis";

    /// <summary>Whether Redis is used at all. False: Storage keeps everything in this process's memory; the worker refuses to start. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary><c>redis://[user[:password]@]host[:port][/database]</c>, or <c>rediss://</c> for TLS. What the URL names wins over the single settings.</summary>
    public string? Url { get; set; }

    /// <summary>Host name or address, when there is no <see cref="Url"/>. Default localhost.</summary>
    public string Host { get; set; } = "localhost";

    /// <summary>TCP port, when there is no <see cref="Url"/>. Default 6379.</summary>
    public int Port { get; set; } = 6379;

    /// <summary>ACL user. Null or <c>default</c>: the default user. Another one needs a password.</summary>
    public string? User { get; set; }

    /// <summary>Password. May contain any character; it never passes through a connection string.</summary>
    public string? Password { get; set; }

    /// <summary>Database number. Default 0. A cluster has only database 0.</summary>
    public int Database { get; set; }

    /// <summary>Goes in front of every key. Default empty. May not hold braces, because they would move the hash tag.</summary>
    public string KeyPrefix { get; set; } = "";

    /// <summary>Longest wait for one call, after which it fails as unavailable. Default 250 ms.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest wait for a connection to be made, in which the first calls take part. Default 5 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>After so many deadlines missed in a row the connection is thrown away and made anew. Default 5.</summary>
    public int DeadlinesBeforeReconnect { get; set; } = 5;

    /// <summary>TLS settings; <c>rediss://</c> switches them on.</summary>
    public RedisTlsOptions Tls { get; set; } = new();

    /// <summary>Sentinels that know the primary, instead of a fixed host.</summary>
    public RedisSentinelOptions Sentinel { get; set; } = new();

    /// <summary>Nodes of a Redis Cluster to start from, instead of a fixed host.</summary>
    public RedisClusterOptions Cluster { get; set; } = new();

    /// <summary>The one node of a cluster to which a connection is bound; null for a connection that finds all of them.</summary>
    internal (string Host, int Port)? Node { get; private set; }

    /// <summary><c>host:port</c> of the URL or the single settings, without credentials, or the service name of the Sentinels: fit for a log or a metric label.</summary>
    /// <exception cref="ArgumentException">The URL is malformed; the validator refuses it before.</exception>
    public string GetServer()
    {
        if (Node is null && Sentinel.Endpoints.Count > 0)
        {
            return Sentinel.ServiceName;
        }

        var endpoint = RedisEndpoint.From(this);
        return $"{endpoint.Host}:{endpoint.Port}";
    }

    /// <summary>A copy whose settings may be changed, for a second connection (a probe with a deadline of its own). <see cref="Tls"/> is shared.</summary>
    public RedisOptions Clone() => (RedisOptions)MemberwiseClone();

    /// <summary>
    /// A copy for a connection that speaks to this node alone, for what only it can answer (SCAN, INFO, its memory). Keys that other nodes serve are
    /// refused there.
    /// </summary>
    public RedisOptions ForNode(RedisClusterNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var copy = Clone();
        copy.Node = (node.Host, node.Port);
        // They would lead to the primary.
        copy.Sentinel = new RedisSentinelOptions();
        return copy;
    }
}

/// <summary>
/// Redis Cluster: the nodes are asked for the others, and followed when slots move or a replica takes over. One configured host that turns out to be a
/// node of a cluster does the same; several go on when it is down at the start. Bound from <c>Storage:Redis:Cluster</c>. User, password and TLS are those of
/// <see cref="RedisOptions"/>, for every node.
/// </summary>
public sealed class RedisClusterOptions
{
    /// <summary><c>host:port</c> of some nodes (6379 if no port is named), or the cluster's discovery name. Empty: the configured host may be one.</summary>
    public List<string> Endpoints { get; set; } = [];

    internal const int DefaultPort = 6379;
}

/// <summary>
/// Redis Sentinel: the primary is asked for, and followed when it moves. Bound from <c>Storage:Redis:Sentinel</c>. Password, database and TLS are
/// those of <see cref="RedisOptions"/>.
/// </summary>
public sealed class RedisSentinelOptions
{
    /// <summary><c>host:port</c> of each Sentinel (26379 if no port is named). Empty: no Sentinel is used.</summary>
    public List<string> Endpoints { get; set; } = [];

    internal const int DefaultPort = 26379;

    /// <summary>Name under which the Sentinels watch the primary. Default mymaster, as in the sentinel.conf that Redis ships.</summary>
    public string ServiceName { get; set; } = "mymaster";

    /// <summary>Password of the Sentinels themselves, if they want one.</summary>
    public string? Password { get; set; }

    /// <summary>How often the Sentinels are asked where the primary is. Default 1 s, the rate at which they ask each other.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);
}

/// <summary>TLS to Redis. Bound from <c>Storage:Redis:Tls</c>.</summary>
public sealed class RedisTlsOptions
{
    /// <summary>Whether to use TLS. Default false.</summary>
    public bool Enabled { get; set; }

    /// <summary>PEM file with the certificate authorities to trust instead of the system's.</summary>
    public string? CaFile { get; set; }

    /// <summary>PEM file with the client certificate (and its chain).</summary>
    public string? ClientCertificateFile { get; set; }

    /// <summary>PEM file with the client certificate's private key; may be the same file.</summary>
    public string? ClientKeyFile { get; set; }

    /// <summary>Name that the server's certificate must carry, if it is not the host's.</summary>
    public string? ServerName { get; set; }
}
