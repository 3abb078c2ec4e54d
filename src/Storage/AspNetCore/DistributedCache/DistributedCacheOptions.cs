using Microsoft.Extensions.Options;

namespace Maintenance.Storage.AspNetCore.DistributedCache;

/// <summary>Bounds of <c>IDistributedCache</c> entries. Bound from <c>Storage:DistributedCache</c>.</summary>
public sealed class DistributedCacheOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:DistributedCache";

    /// <summary>Life of an entry whose caller gave none. 1 s to 400 days; default 30 min.</summary>
    public TimeSpan DefaultLife { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>Largest value, in bytes; a larger one is refused. 1 to 64 MiB; default 1 MiB.</summary>
    public int MaxBytes { get; set; } = 1024 * 1024;
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class DistributedCacheOptionsValidator : IValidateOptions<DistributedCacheOptions>
{
    public ValidateOptionsResult Validate(string? name, DistributedCacheOptions options)
    {
        var failures = new List<string>();
        if (options.DefaultLife < TimeSpan.FromSeconds(1) || options.DefaultLife > TimeSpan.FromDays(400))
        {
            failures.Add($"{DistributedCacheOptions.Section}:DefaultLife is {options.DefaultLife}; expected 1 s to 400 days.");
        }

        if (options.MaxBytes is < 1 or > 64 * 1024 * 1024)
        {
            failures.Add($"{DistributedCacheOptions.Section}:MaxBytes is {options.MaxBytes}; expected 1 to 67108864.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
