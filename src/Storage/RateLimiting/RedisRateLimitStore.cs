using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.RateLimiting;

/// <summary>Limits in Redis: one string a subject, one script a decision, on Redis's clock, always with a TTL.</summary>
public sealed class RedisRateLimitStore : IRateLimitStore
{
    private static readonly RedisScript Acquire = Load("acquire");
    private static readonly RedisScript Refund = Load("refund");

    private readonly RedisConnection connection;
    private readonly RedisKeys keys;
    private readonly IOptionsMonitor<RateLimitOptions> options;
    private readonly RedisScript acquire;

    /// <summary>Creates the store.</summary>
    public RedisRateLimitStore(RedisConnection connection, RedisKeys keys, IOptionsMonitor<RateLimitOptions> options)
        : this(connection, keys, options, Acquire)
    {
    }

    internal RedisRateLimitStore(RedisConnection connection, RedisKeys keys, IOptionsMonitor<RateLimitOptions> options, RedisScript acquire)
    {
        this.connection = connection;
        this.keys = keys;
        this.options = options;
        this.acquire = acquire;
    }

    /// <inheritdoc/>
    public Task<RateLimitResult> AcquireAsync(RateLimitRequest request, CancellationToken cancellationToken)
    {
        var policy = RateLimitGuard.Check(options.CurrentValue, request);
        return DecideAsync(policy, request.Policy, request.Subject, request.Cost, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<RateLimitResult> PeekAsync(string policy, string subject, CancellationToken cancellationToken) =>
        DecideAsync(options.CurrentValue.Find(policy), policy, subject, 0, cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> RefundAsync(RateLimitRequest request, RateLimitResult charged, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(charged);
        var limit = RateNumbers.Of(RateLimitGuard.Check(options.CurrentValue, request));
        return charged.IsAllowed && (int)await connection.EvaluateAsync(
            Refund, [Key(request.Policy, request.Subject)], [request.Cost, limit.Interval, charged.AtMicroseconds], cancellationToken).ConfigureAwait(false) == 1;
    }

    /// <inheritdoc/>
    public Task<bool> ResetAsync(string policy, string subject, CancellationToken cancellationToken)
    {
        _ = options.CurrentValue.Find(policy);
        var key = Key(policy, subject);
        return connection.CallAsync(database => database.KeyDeleteAsync(key), cancellationToken);
    }

    internal static RedisScript Load(string name) => RedisScript.Load(typeof(RedisRateLimitStore).Assembly, $"RateLimiting/{name}.lua");

    private async Task<RateLimitResult> DecideAsync(
        RateLimitPolicy policy, string name, string subject, int cost, CancellationToken cancellationToken)
    {
        var limit = RateNumbers.Of(policy);
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            acquire,
            [Key(name, subject)],
            [cost, limit.Interval, limit.Burst, limit.Threshold, limit.FirstBlock, limit.LongestBlock, limit.Decay],
            cancellationToken).ConfigureAwait(false));
        var decision = (int)reply[0];
        return decision < 0
            ? throw new UnsupportedRecordException($"A cell of rate limit '{name}' is stored in a format newer than 1; update this program.")
            : new RateAnswer((RateLimitDecision)decision, (long)reply[1], (long)reply[2], (long)reply[3], (long)reply[4]).ToResult(name, limit);
    }

    private RedisKey Key(string policy, string subject) => keys.RateLimit(policy, RateLimitGuard.Hash(subject));
}
