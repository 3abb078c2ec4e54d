namespace Maintenance.Storage.RateLimiting;

/// <summary>The limits by name. Each child of <c>Storage:RateLimits</c> is a policy, for example <c>Storage:RateLimits:login:Permits</c>.</summary>
public sealed class RateLimitOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:RateLimits";

    /// <summary>Name of the policy that is always there: 100 permits a minute, unless configured otherwise.</summary>
    public const string DefaultPolicy = "default";

    /// <summary>Policies by name. Names are lower-case letters, digits, <c>-</c> and <c>_</c>, at most 40: they stand in keys and in a metric label.</summary>
    public Dictionary<string, RateLimitPolicy> Policies { get; } = new(StringComparer.Ordinal) { [DefaultPolicy] = new() };

    /// <summary>The policy of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    internal RateLimitPolicy Find(string policy) =>
        Policies.TryGetValue(policy, out var found)
            ? found
            : throw new ArgumentException($"No rate limit '{policy}'; add {Section}:{policy} to the configuration.", nameof(policy));
}

/// <summary>One limit: a bucket of <see cref="Burst"/> permits a subject that refills at <see cref="Permits"/> a <see cref="Period"/>.</summary>
public sealed class RateLimitPolicy
{
    /// <summary>Permits that come back in a period. 1 to 10 million, at most 10,000 a second. Default 100.</summary>
    public int Permits { get; set; } = 100;

    /// <summary>The period. 1 ms to 31 days. Default 1 min.</summary>
    public TimeSpan Period { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Permits that a rested subject may take at once. At most 10 million. Default: as <see cref="Permits"/>. In any time <c>t</c> a subject gets at most
    /// this and <c>t / Period * Permits</c>.
    /// </summary>
    public int? Burst { get; set; }

    /// <summary>What repeat offenders get. Default: nothing beyond the limit itself.</summary>
    public RateLimitPenalty Penalty { get; set; } = new();

    /// <summary>
    /// Share of permits and burst that each host grants by itself while Redis is away, because no host knows what the others grant. Above 0 to 1; default 0.5.
    /// </summary>
    public double OutageShare { get; set; } = 0.5;
}

/// <summary>Longer and longer blocks for a subject that goes on after denials.</summary>
public sealed class RateLimitPenalty
{
    /// <summary>Denials that bring a block. 0: none, the default. Denials during a block do not count.</summary>
    public int Threshold { get; set; }

    /// <summary>Length of the first block; each further one is twice as long. Default 1 min.</summary>
    public TimeSpan FirstBlock { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Length of the longest block. At most 31 days. Default 1 h.</summary>
    public TimeSpan LongestBlock { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Time without a denial after which denials are forgotten, and the next block is one step shorter. At most 31 days. Default 1 h.</summary>
    public TimeSpan Decay { get; set; } = TimeSpan.FromHours(1);
}
