using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StackExchange.Redis;

namespace Maintenance.Storage.Redis;

/// <summary>Turns <see cref="RedisOptions"/> into the client's configuration, property by property and never through a string.</summary>
internal static class RedisConfiguration
{
    /// <summary>Builds the configuration. The options must have passed <see cref="RedisOptionsValidator"/>.</summary>
    /// <param name="options">The options.</param>
    /// <param name="clientName">Shown by CLIENT LIST.</param>
    /// <param name="primary">Where the Sentinels say that the primary is; null without Sentinels.</param>
    public static ConfigurationOptions Build(RedisOptions options, string? clientName = null, (string Host, int Port)? primary = null)
    {
        var endpoint = RedisEndpoint.From(options);
        // A cluster's nodes name each other by address: the certificate is that of the name that was configured.
        var tlsHost = primary?.Host ?? RedisEndpoint.Configured(options).Host;
        if (primary is { } found)
        {
            endpoint = endpoint with { Host = found.Host, Port = found.Port };
        }

        var configuration = new ConfigurationOptions
        {
            AbortOnConnectFail = false,
            ConnectTimeout = (int)options.ConnectTimeout.TotalMilliseconds,
            SyncTimeout = (int)Math.Max(options.Deadline.TotalMilliseconds, 1000),
            ConnectRetry = 1,
            DefaultDatabase = endpoint.Database,
            User = endpoint.User,
            Password = endpoint.Password,
            ClientName = clientName ?? "maintenance-storage",
            // No tie-breaker key and no configuration channel: both would be traffic outside our key grammar.
            TieBreaker = "",
            ConfigurationChannel = "",
            KeepAlive = 15,
            CommandMap = ClientCompat.Commands,
            ReconnectRetryPolicy = new LinearRetry(500),
        };
        Pin(configuration);
        configuration.EndPoints.Add(ClientCompat.EndPoint(endpoint.Host, endpoint.Port));
        if (options.Node is null)
        {
            AddAll(configuration, options.Cluster.Endpoints.Skip(1), RedisClusterOptions.DefaultPort);
        }
        else
        {
            configuration.CommandMap = ClientCompat.CommandsOfOneNode;
        }

        if (endpoint.Tls)
        {
            ApplyTls(configuration, options.Tls, tlsHost);
        }

        return configuration;
    }

    /// <summary>The configuration of a connection to one Sentinel.</summary>
    public static ConfigurationOptions BuildSentinel(RedisOptions options, string sentinel)
    {
        var configuration = new ConfigurationOptions
        {
            AbortOnConnectFail = false,
            ConnectTimeout = (int)options.ConnectTimeout.TotalMilliseconds,
            ConnectRetry = 1,
            Password = string.IsNullOrEmpty(options.Sentinel.Password) ? null : options.Sentinel.Password,
            ClientName = "maintenance-sentinel-watch",
            TieBreaker = "",
            ConfigurationChannel = "",
            KeepAlive = 15,
            CommandMap = CommandMap.Sentinel,
            ReconnectRetryPolicy = new LinearRetry(500),
        };
        Pin(configuration);
        if (TryReadEndpoint(sentinel, RedisSentinelOptions.DefaultPort, out var host, out var port))
        {
            configuration.EndPoints.Add(ClientCompat.EndPoint(host, port));
        }

        if (RedisEndpoint.From(options).Tls)
        {
            ApplyTls(configuration, options.Tls, host);
        }

        return configuration;
    }

    /// <summary>Reads <c>host</c>, <c>host:port</c> or <c>[address]:port</c>.</summary>
    public static bool TryReadEndpoint(string text, int defaultPort, out string host, out int port)
    {
        host = "";
        port = 0;
        if (string.IsNullOrWhiteSpace(text) || !Uri.TryCreate($"redis://{text}", UriKind.Absolute, out var uri)
            || uri.Host.Length == 0 || uri.UserInfo.Length > 0 || uri.AbsolutePath.Trim('/').Length > 0 || uri.Query.Length > 0 || uri.Port == 0)
        {
            return false;
        }

        host = uri.IdnHost;
        port = uri.Port > 0 ? uri.Port : defaultPort;
        return true;
    }

    // What the client would else choose by the server's version or its own: every reply here is read, and was tested, in RESP2; a call without a
    // connection fails at once instead of waiting in a backlog; nothing is asked of a server that its ACL user need not be allowed.
    private static void Pin(ConfigurationOptions configuration)
    {
        configuration.Protocol = RedisProtocol.Resp2;
        configuration.BacklogPolicy = BacklogPolicy.FailFast;
        configuration.SetClientLibrary = false;
        // The client refuses INFO and SLOWLOG without it. What a program may ask is the server's to say (deploy/redis/users.acl).
        configuration.AllowAdmin = true;
    }

    private static void AddAll(ConfigurationOptions configuration, IEnumerable<string> endpoints, int defaultPort)
    {
        foreach (var text in endpoints)
        {
            if (TryReadEndpoint(text, defaultPort, out var host, out var port))
            {
                configuration.EndPoints.Add(ClientCompat.EndPoint(host, port));
            }
        }
    }

    private static void ApplyTls(ConfigurationOptions configuration, RedisTlsOptions tls, string host)
    {
        configuration.Ssl = true;
        configuration.SslHost = tls.ServerName ?? host;
        // The system's choice, so that a deployment can forbid a version in one place.
        configuration.SslProtocols = SslProtocols.None;
        if (tls.CaFile is { Length: > 0 } caFile)
        {
            var authorities = LoadAuthorities(caFile);
            configuration.CertificateValidation += (_, certificate, chain, errors) => TrustsOnly(authorities, certificate, chain, errors);
        }

        if (tls.ClientCertificateFile is { Length: > 0 } certificateFile)
        {
            var certificate = LoadClientCertificate(certificateFile, tls.ClientKeyFile);
            configuration.CertificateSelection += (_, _, _, _, _) => certificate;
        }
    }

    /// <summary>The authorities in a PEM file.</summary>
    /// <exception cref="CryptographicException">There is none.</exception>
    public static X509Certificate2Collection LoadAuthorities(string caFile)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(caFile);
        return authorities.Count > 0 ? authorities : throw new CryptographicException("It holds no PEM certificate.");
    }

    /// <summary>A client certificate with its key, which may be in the same PEM file.</summary>
    /// <exception cref="CryptographicException">Either is missing, or they do not belong together.</exception>
    public static X509Certificate2 LoadClientCertificate(string certificateFile, string? keyFile)
    {
        using var pem = X509Certificate2.CreateFromPemFile(certificateFile, string.IsNullOrEmpty(keyFile) ? certificateFile : keyFile);
        // Through PKCS #12, because SslStream refuses a key that lives only in memory on some systems.
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }

    private static bool TrustsOnly(X509Certificate2Collection authorities, X509Certificate? certificate, X509Chain? given, SslPolicyErrors errors)
    {
        if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (given is not null)
        {
            chain.ChainPolicy.ExtraStore.AddRange(new X509Certificate2Collection(given.ChainElements.Select(e => e.Certificate).ToArray()));
        }

        using var leaf = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(leaf);
    }
}

/// <summary>Where Redis is, after the URL and the single settings have been put together.</summary>
internal sealed record RedisEndpoint(string Host, int Port, int Database, string? User, string? Password, bool Tls)
{
    /// <summary>Where a connection with these options goes first. A malformed URL throws <see cref="ArgumentException"/>; the validator has refused it before.</summary>
    public static RedisEndpoint From(RedisOptions options) =>
        options.Node is { } node ? Configured(options) with { Host = node.Host, Port = node.Port } : Configured(options);

    /// <summary>What is configured; what the URL names wins.</summary>
    public static RedisEndpoint Configured(RedisOptions options)
    {
        if (options.Cluster.Endpoints is [var first, ..]
            && RedisConfiguration.TryReadEndpoint(first, RedisClusterOptions.DefaultPort, out var host, out var port))
        {
            return new RedisEndpoint(host, port, options.Database, Empty(options.User), Empty(options.Password), options.Tls.Enabled);
        }

        if (string.IsNullOrEmpty(options.Url))
        {
            return new RedisEndpoint(options.Host, options.Port, options.Database, Empty(options.User), Empty(options.Password), options.Tls.Enabled);
        }

        if (!RedisUrl.TryParse(options.Url, out var url, out var error))
        {
            throw new ArgumentException($"{RedisOptions.Section}:Url {error}.", nameof(options));
        }

        return new RedisEndpoint(
            url!.Host,
            url.Port,
            url.Database ?? options.Database,
            url.User ?? Empty(options.User),
            url.Password ?? Empty(options.Password),
            url.Tls || options.Tls.Enabled);
    }

    /// <summary><c>host:port/database</c>, without user or password: fit for a log or a metric label.</summary>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) && Host[0] != '[' ? $"[{Host}]:{Port}/{Database}" : $"{Host}:{Port}/{Database}";

    private static string? Empty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
