using Maintenance.Storage.Diagnostics;

namespace Maintenance.Storage.RateLimiting;

/// <summary>Measures another store. Each limit's decision is counted by itself, also one that is refunded because another limit denied.</summary>
public sealed class InstrumentedRateLimitStore(IRateLimitStore inner, AuthStoreMetrics metrics, TimeProvider timeProvider) : IRateLimitStore
{
    /// <summary>Value of the label <c>store</c>.</summary>
    public const string StoreLabel = "ratelimits";

    internal static readonly string[] Operations = ["acquire", "peek", "refund", "reset"];

    private readonly StoreMeter meter = new(StoreLabel, metrics, timeProvider);

    /// <inheritdoc/>
    public async Task<RateLimitResult> AcquireAsync(RateLimitRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var result = await meter.MeasureAsync("acquire", () => inner.AcquireAsync(request, cancellationToken)).ConfigureAwait(false);
            metrics.RateLimitDecision(result.Policy, result.Decision switch
            {
                RateLimitDecision.Allowed => "allowed",
                RateLimitDecision.Denied => "denied",
                _ => "penalized",
            });
            return result;
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or ArgumentException))
        {
            // An unknown policy is an ArgumentException: the label stays a closed set.
            metrics.RateLimitDecision(request.Policy, "error");
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<RateLimitResult> PeekAsync(string policy, string subject, CancellationToken cancellationToken) =>
        meter.MeasureAsync("peek", () => inner.PeekAsync(policy, subject, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> RefundAsync(RateLimitRequest request, RateLimitResult charged, CancellationToken cancellationToken) =>
        meter.MeasureAsync("refund", () => inner.RefundAsync(request, charged, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> ResetAsync(string policy, string subject, CancellationToken cancellationToken) =>
        meter.MeasureAsync("reset", () => inner.ResetAsync(policy, subject, cancellationToken));
}
