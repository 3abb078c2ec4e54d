using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Caching;

/// <summary>How values are cached. Bound from <c>Storage:Cache</c>.</summary>
public sealed class CacheOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:Cache";

    /// <summary>Life of a value, if the call names none. 1 s to 7 days; default 30 min.</summary>
    public TimeSpan Life { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>Life of the knowledge that there is no value. 1 s to <see cref="Life"/>; default 1 min.</summary>
    public TimeSpan NegativeLife { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Share by which a life is made longer or shorter at random, so that what was cached together does not expire together. 0 to 0.5; default 0.1.</summary>
    public double Jitter { get; set; } = 0.1;

    /// <summary>
    /// How long a host may answer from its own memory: the longest time for which it may miss another host's invalidation when pub/sub loses it.
    /// 0 (never) to 1 min; default 5 s.
    /// </summary>
    public TimeSpan LocalLife { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Values in a host's own memory. 1 to 1,000,000; default 10,000.</summary>
    public int LocalEntries { get; set; } = 10_000;

    /// <summary>The longest load whose result is still stored; while it lasts no other host loads the value. 1 s to 10 min; default 30 s.</summary>
    public TimeSpan LeaseLife { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a host waits for another one's load before it loads for itself. 0 to 1 min; default 2 s.</summary>
    public TimeSpan LeaseWait { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>A larger value is not stored, bytes of JSON. 1 to 16 MiB; default 1 MiB.</summary>
    public int MaxBytes { get; set; } = 1024 * 1024;
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class CacheOptionsValidator : IValidateOptions<CacheOptions>
{
    public ValidateOptionsResult Validate(string? name, CacheOptions options)
    {
        var failures = new List<string>();
        void Check(bool valid, string setting, object value, string expected)
        {
            if (!valid)
            {
                failures.Add($"{CacheOptions.Section}:{setting} is {value}; expected {expected}.");
            }
        }

        static bool Within(TimeSpan value, TimeSpan least, TimeSpan most) => value >= least && value <= most;
        var (second, minute) = (TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        Check(Within(options.Life, second, TimeSpan.FromDays(7)), "Life", options.Life, "1 s to 7 days");
        Check(Within(options.NegativeLife, second, options.Life), "NegativeLife", options.NegativeLife, $"1 s to Life {options.Life}");
        Check(options.Jitter is >= 0 and <= 0.5, "Jitter", options.Jitter, "0 to 0.5");
        Check(Within(options.LocalLife, TimeSpan.Zero, minute), "LocalLife", options.LocalLife, "0 to 1 min");
        Check(options.LocalEntries is >= 1 and <= 1_000_000, "LocalEntries", options.LocalEntries, "1 to 1000000");
        Check(Within(options.LeaseLife, second, TimeSpan.FromMinutes(10)), "LeaseLife", options.LeaseLife, "1 s to 10 min");
        Check(Within(options.LeaseWait, TimeSpan.Zero, minute), "LeaseWait", options.LeaseWait, "0 to 1 min");
        Check(options.MaxBytes is >= 1 and <= 16 * 1024 * 1024, "MaxBytes", options.MaxBytes, "1 to 16777216");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
