using Maintenance.Storage.Redis;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Outage;

/// <summary>Where state is kept. Bound from <c>Storage</c>; a change of the configuration takes effect while the host runs.</summary>
public sealed class StorageModeOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage";

    /// <summary>The mode. Default <see cref="StorageMode.Auto"/>; <see cref="StorageMode.Memory"/> when <see cref="RedisOptions.Enabled"/> is false.</summary>
    public StorageMode Mode { get; set; }

    /// <summary>
    /// Percentage of the users whose state is in Redis, 0 to 100; the others' is in this host's memory. Which users is decided by a hash of the user, so a
    /// larger share only adds some. Default 100.
    /// </summary>
    public double RedisShare { get; set; } = 100;
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class StorageModeOptionsValidator(IOptionsMonitor<RedisOptions> redis) : IValidateOptions<StorageModeOptions>
{
    public ValidateOptionsResult Validate(string? name, StorageModeOptions options)
    {
        var failures = new List<string>();
        if (!Enum.IsDefined(options.Mode))
        {
            failures.Add($"{StorageModeOptions.Section}:Mode is {options.Mode}; expected Auto, Redis or Memory.");
        }

        if (options.RedisShare is not (>= 0 and <= 100))
        {
            failures.Add($"{StorageModeOptions.Section}:RedisShare is {options.RedisShare}; expected 0 to 100.");
        }

        if (options.Mode != StorageMode.Memory && !redis.CurrentValue.Enabled)
        {
            failures.Add($"{StorageModeOptions.Section}:Mode is {options.Mode}, but {RedisOptions.Section}:Enabled (or REDIS_ENABLED) is false; leave one of them out.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
