using System.Buffers.Text;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Outage;

/// <summary>Which store answers a call.</summary>
internal enum StorageRoute
{
    /// <summary>Redis.</summary>
    Redis,

    /// <summary>Redis, which is away: the policy of the kind decides.</summary>
    Away,

    /// <summary>This host's memory, by choice.</summary>
    Memory,
}

/// <summary>
/// The mode of this host, and whether Redis is away. The mode follows the configuration, and can be set by <see cref="Set"/>; the later of two wins.
/// </summary>
public sealed class StorageSwitch : IDisposable
{
    private readonly Lock gate = new();
    private readonly ILogger logger;
    private readonly bool redisIsConfigured;
    private readonly IDisposable? subscription;
    private volatile Chosen chosen;
    private volatile bool away;
    private bool settled;
    private long transitions;
    private string reason = "not asked yet";

    internal StorageSwitch(IOptionsMonitor<StorageModeOptions> options, bool redisIsConfigured, bool beginsAway, ILogger logger)
    {
        this.logger = logger;
        this.redisIsConfigured = redisIsConfigured;
        var current = options.CurrentValue;
        chosen = new Chosen(current.Mode, current.RedisShare);
        RedisWasUsed = UsesRedis;
        away = beginsAway;
        settled = !beginsAway;
        subscription = options.OnChange(changed => Apply(new Chosen(changed.Mode, changed.RedisShare)));
    }

    /// <summary>The mode chosen.</summary>
    public StorageMode Mode => chosen.Mode;

    /// <summary>Percentage of the users whose state is in Redis.</summary>
    public double RedisShare => chosen.RedisShare;

    /// <summary>Whether this host answers without Redis, by choice or because Redis is away.</summary>
    public bool IsWithoutRedis => !UsesRedis || away;

    /// <summary>Whether Redis is away although it is to be used.</summary>
    public bool IsRedisAway => UsesRedis && away;

    /// <summary>Why Redis counts as away; for people.</summary>
    public string Reason => Volatile.Read(ref reason);

    /// <summary>Changes between answering with Redis and without.</summary>
    internal long Transitions => Interlocked.Read(ref transitions);

    /// <summary>Whether Redis may hold something of a user: it was used at some time.</summary>
    internal bool RedisWasUsed { get; private set; }

    /// <summary>Told of each change of mode or share.</summary>
    internal Action? Changed { get; set; }

    /// <summary>Asked before Redis is used again after a time without it: whether something has to be done first.</summary>
    internal Func<bool>? MustCatchUp { get; set; }

    private bool UsesRedis => chosen is { Mode: not StorageMode.Memory, RedisShare: > 0 };

    /// <summary>
    /// Changes where state is kept, at once. Sessions of users who come to Redis are moved there; who leaves it has to log in again, and what Redis still
    /// holds of a user is ended there with it, when it is revoked.
    /// </summary>
    /// <param name="mode">The mode.</param>
    /// <param name="redisShare">Percentage of the users whose state is in Redis.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not a mode, or not a percentage. Nothing was changed.</exception>
    /// <exception cref="InvalidOperationException">Redis is switched off by <see cref="RedisOptions.Enabled"/>. Nothing was changed.</exception>
    public void Set(StorageMode mode, double redisShare = 100)
    {
        if (!Enum.IsDefined(mode))
        {
            throw new ArgumentOutOfRangeException(nameof(mode), mode, "Expected Auto, Redis or Memory.");
        }

        if (redisShare is not (>= 0 and <= 100))
        {
            throw new ArgumentOutOfRangeException(nameof(redisShare), redisShare, "Expected 0 to 100.");
        }

        if (mode != StorageMode.Memory && !redisIsConfigured)
        {
            throw new InvalidOperationException($"{RedisOptions.Section}:Enabled (or REDIS_ENABLED) is false, so that nobody has checked how to reach Redis.");
        }

        Apply(new Chosen(mode, redisShare));
    }

    /// <summary>Ends the subscription to the configuration.</summary>
    public void Dispose() => subscription?.Dispose();

    /// <summary>Where a user's state is.</summary>
    internal StorageRoute RouteOf(UserReference user) => !IsInRedis(user) ? StorageRoute.Memory : away ? StorageRoute.Away : StorageRoute.Redis;

    /// <summary>Where state of no user is.</summary>
    internal StorageRoute Route() => chosen.Mode == StorageMode.Memory ? StorageRoute.Memory : away ? StorageRoute.Away : StorageRoute.Redis;

    /// <summary>Whether a user's state belongs into Redis, away or not.</summary>
    internal bool IsInRedis(UserReference user)
    {
        var (mode, share) = chosen;
        return mode != StorageMode.Memory && (share >= 100 || (share > 0 && Percentile(user) < share));
    }

    /// <summary>A policy as the mode lets it be.</summary>
    internal bool FallsBack(OutagePolicy? policy) => policy == OutagePolicy.Memory && chosen.Mode == StorageMode.Auto;

    /// <summary>Says whether Redis is away. One log line a change.</summary>
    internal void SetAway(bool value, string why)
    {
        lock (gate)
        {
            var before = IsWithoutRedis;
            away = value;
            Volatile.Write(ref reason, why);
            // The first finding of a start is no change.
            var first = !settled;
            settled = true;
            if (first && !value)
            {
                return;
            }

            Report(before && !first);
        }
    }

    // 24 bits of a hash that is even already; never 100.
    private static double Percentile(UserReference user)
    {
        Span<byte> bytes = stackalloc byte[3];
        Base64Url.DecodeFromChars(user.Value.AsSpan(0, 4), bytes);
        return ((bytes[0] << 16) | (bytes[1] << 8) | bytes[2]) * 100.0 / (1 << 24);
    }

    private void Apply(Chosen next)
    {
        lock (gate)
        {
            if (next == chosen)
            {
                return;
            }

            var before = IsWithoutRedis;
            // What was revoked meanwhile is carried out before Redis is read.
            if (!UsesRedis && next is { Mode: not StorageMode.Memory, RedisShare: > 0 } && MustCatchUp?.Invoke() == true)
            {
                away = true;
                Volatile.Write(ref reason, "what was revoked meanwhile is not carried out yet");
            }

            chosen = next;
            RedisWasUsed |= UsesRedis;
            logger.StorageModeChosen(next.Mode.ToString(), next.RedisShare);
            Report(before);
        }

        Changed?.Invoke();
    }

    private void Report(bool withoutBefore)
    {
        if (withoutBefore == IsWithoutRedis)
        {
            return;
        }

        Interlocked.Increment(ref transitions);
        if (IsRedisAway)
        {
            logger.RedisAway(Reason);
        }
        else if (!IsWithoutRedis)
        {
            logger.RedisBack();
        }
    }

    private sealed record Chosen(StorageMode Mode, double RedisShare);
}
