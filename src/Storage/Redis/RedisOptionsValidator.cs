using System.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Redis;

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class RedisOptionsValidator : IValidateOptions<RedisOptions>
{
    // Below it lies only what was meant in another unit; the client rounds it to 0, and every call is over before it is sent.
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(10);

    public ValidateOptionsResult Validate(string? name, RedisOptions options)
    {
        if (!options.Enabled)
        {
            return ValidateOptionsResult.Success;
        }

        var failures = new List<string>();
        void Check(bool valid, string setting, string problem)
        {
            if (!valid)
            {
                failures.Add($"{RedisOptions.Section}:{setting} {problem}.");
            }
        }

        string? user = options.User;
        var password = options.Password;
        var tls = options.Tls.Enabled;
        if (!string.IsNullOrEmpty(options.Url))
        {
            Check(RedisUrl.TryParse(options.Url, out var url, out var error), "Url (or REDIS_URL)", error ?? "");
            user = url?.User ?? user;
            password = url?.Password ?? password;
            tls |= url?.Tls ?? true;
            Check(url?.Database is null or >= 0, "Url (or REDIS_URL)", "names a negative database");
        }
        else
        {
            Check(!string.IsNullOrWhiteSpace(options.Host), "Host (or REDIS_HOST)", "is empty");
            Check(options.Port is > 0 and <= 65535, "Port (or REDIS_PORT)", $"is {options.Port}; expected 1 to 65535");
        }

        if (options.Sentinel.Endpoints.Count > 0)
        {
            // Two answers to where the primary is: which one is meant, nobody can know.
            Check(string.IsNullOrEmpty(options.Url), "Url (or REDIS_URL)", "is set beside Sentinel:Endpoints; name the server or its Sentinels, not both");
            Check(!string.IsNullOrWhiteSpace(options.Sentinel.ServiceName), "Sentinel:ServiceName", "is empty");
            foreach (var (number, text) in options.Sentinel.Endpoints.Index())
            {
                Check(RedisConfiguration.TryReadEndpoint(text, RedisSentinelOptions.DefaultPort, out _, out _), $"Sentinel:Endpoints:{number}", "is not host:port");
            }

            Check(
                options.Sentinel.PollInterval >= TimeSpan.FromMilliseconds(100) && options.Sentinel.PollInterval <= TimeSpan.FromMinutes(1),
                "Sentinel:PollInterval",
                $"is {options.Sentinel.PollInterval}; expected 100 ms to 1 minute");
        }

        if (options.Cluster.Endpoints.Count > 0)
        {
            Check(string.IsNullOrEmpty(options.Url), "Url (or REDIS_URL)", "is set beside Cluster:Endpoints; name nodes in one of them, not both");
            Check(options.Sentinel.Endpoints.Count == 0, "Cluster:Endpoints", "is set beside Sentinel:Endpoints; a cluster needs no Sentinel");
            Check(options.Database == 0, "Database (or REDIS_DB)", $"is {options.Database}; a cluster has only database 0");
            foreach (var (number, text) in options.Cluster.Endpoints.Index())
            {
                Check(RedisConfiguration.TryReadEndpoint(text, RedisClusterOptions.DefaultPort, out _, out _), $"Cluster:Endpoints:{number}", "is not host:port");
            }
        }

        Check(options.Database >= 0, "Database (or REDIS_DB)", $"is {options.Database}; expected 0 or more");
        Check(
            string.IsNullOrEmpty(user) || user == "default" || !string.IsNullOrEmpty(password),
            "User",
            // Not repeated: whoever writes redis://password@host has put the password there, and Redis would write it into its ACL LOG.
            "names a user without a password; set Password (or REDIS_PASSWORD); for a password alone write redis://:password@host");
        Check(
            options.KeyPrefix.AsSpan().IndexOfAny('{', '}') < 0,
            "KeyPrefix",
            $"is '{options.KeyPrefix}'; braces are not allowed, because they would move the hash tag");
        Check(!options.KeyPrefix.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)), "KeyPrefix", "holds white space or control characters");
        Check(options.Deadline >= Shortest && options.Deadline <= TimeSpan.FromMinutes(1), "Deadline", $"is {options.Deadline}; expected 10 ms to 1 minute");
        Check(options.ConnectTimeout >= Shortest && options.ConnectTimeout <= TimeSpan.FromMinutes(1), "ConnectTimeout", $"is {options.ConnectTimeout}; expected 10 ms to 1 minute");
        Check(options.DeadlinesBeforeReconnect > 0, "DeadlinesBeforeReconnect", $"is {options.DeadlinesBeforeReconnect}; expected 1 or more");
        CheckTls();
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void CheckTls()
        {
            var files = new[] { options.Tls.CaFile, options.Tls.ClientCertificateFile, options.Tls.ClientKeyFile };
            // Whoever names certificates means to have TLS, and must not find out from a captured password that there is none.
            Check(tls || files.All(string.IsNullOrEmpty), "Tls", "names certificates, but TLS is off; use rediss:// or set Tls:Enabled");
            CheckPem(options.Tls.CaFile, "Tls:CaFile", path => RedisConfiguration.LoadAuthorities(path));
            Check(
                string.IsNullOrEmpty(options.Tls.ClientKeyFile) || !string.IsNullOrEmpty(options.Tls.ClientCertificateFile),
                "Tls:ClientKeyFile",
                "is set without Tls:ClientCertificateFile");
            if (string.IsNullOrEmpty(options.Tls.ClientKeyFile) || CheckFile(options.Tls.ClientKeyFile, "Tls:ClientKeyFile"))
            {
                CheckPem(
                    options.Tls.ClientCertificateFile,
                    "Tls:ClientCertificateFile (with Tls:ClientKeyFile)",
                    path => RedisConfiguration.LoadClientCertificate(path, options.Tls.ClientKeyFile).Dispose());
            }
        }

        bool CheckFile(string path, string setting)
        {
            var exists = File.Exists(path);
            Check(exists, setting, $"names '{path}', which does not exist");
            return exists;
        }

        void CheckPem(string? path, string setting, Action<string> load)
        {
            if (string.IsNullOrEmpty(path) || !CheckFile(path, setting))
            {
                return;
            }

            try
            {
                load(path);
            }
            catch (Exception exception) when (exception is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
            {
                failures.Add($"{RedisOptions.Section}:{setting} names '{path}', which cannot be read: {exception.Message}");
            }
        }
    }
}
