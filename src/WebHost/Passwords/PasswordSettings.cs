using Maintenance.WebHost.Hosting;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Passwords;

/// <summary>What a password must be and how it is hashed. Bound from <c>Passwords</c>.</summary>
internal sealed class PasswordSettings
{
    public const string Section = "Passwords";

    /// <summary>Characters that every field for a password takes at most (OWASP ASVS 4.0.3, 2.1.2).</summary>
    public const int MaxLength = 128;

    /// <summary>Characters at least. 8 to 64; default 12 (OWASP ASVS 4.0.3, 2.1.1).</summary>
    public int MinLength { get; set; } = 12;

    /// <summary>File of passwords that are known to attackers, one a line: as they are, or as SHA-1 in hexadecimal (what follows a colon is ignored). None by default.</summary>
    public string? BreachedListFile { get; set; }

    /// <summary>Rounds of PBKDF2 with HMAC-SHA-512. 100,000 to 10 million; default 210,000 (OWASP, Password Storage Cheat Sheet, 2023).</summary>
    public int HashIterations { get; set; } = 210_000;

    /// <summary>Hashes at a time. 0, the default: one a processor. At most 64.</summary>
    public int MaxParallelHashes { get; set; }

    /// <summary>Requests that may wait for their turn; on one more the answer is 503. 1 to 10,000; default 64.</summary>
    public int MaxWaitingHashes { get; set; } = 64;

    /// <summary>Longest wait for a turn. 100 ms to 1 min; default 5 s.</summary>
    public TimeSpan HashQueueTimeout { get; set; } = TimeSpan.FromSeconds(5);
}

internal sealed class PasswordSettingsValidator : IValidateOptions<PasswordSettings>
{
    public ValidateOptionsResult Validate(string? name, PasswordSettings options)
    {
        var failures = new SettingFailures(PasswordSettings.Section);
        failures.Check(options.MinLength is >= 8 and <= 64, "MinLength", $"is {options.MinLength}; expected 8 to 64");
        failures.Check(
            string.IsNullOrEmpty(options.BreachedListFile) || File.Exists(options.BreachedListFile),
            "BreachedListFile",
            $"is '{options.BreachedListFile}'; there is no such file");
        failures.Check(options.HashIterations is >= 100_000 and <= 10_000_000, "HashIterations", $"is {options.HashIterations}; expected 100000 to 10000000");
        failures.Check(options.MaxParallelHashes is >= 0 and <= 64, "MaxParallelHashes", $"is {options.MaxParallelHashes}; expected 0 to 64");
        failures.Check(options.MaxWaitingHashes is >= 1 and <= 10_000, "MaxWaitingHashes", $"is {options.MaxWaitingHashes}; expected 1 to 10000");
        failures.Check(
            options.HashQueueTimeout >= TimeSpan.FromMilliseconds(100) && options.HashQueueTimeout <= TimeSpan.FromMinutes(1),
            "HashQueueTimeout",
            $"is {options.HashQueueTimeout}; expected 100 ms to 1 min");
        return failures.Result;
    }
}
