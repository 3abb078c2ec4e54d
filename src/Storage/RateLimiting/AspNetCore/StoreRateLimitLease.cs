using System.Threading.RateLimiting;

namespace Maintenance.Storage.RateLimiting.AspNetCore;

/// <summary>
/// A decision as a lease. Metadata: <c>RETRY_AFTER</c> and <c>REASON_PHRASE</c> as the framework names them, and <see cref="Result"/>. Disposing
/// it gives nothing back.
/// </summary>
public sealed class StoreRateLimitLease : RateLimitLease
{
    /// <summary>The whole answer of the limit.</summary>
    public static readonly MetadataName<RateLimitResult> Result = MetadataName.Create<RateLimitResult>("AUTHSTORE_RATE_LIMIT");

    /// <summary>The store did not answer; a second later it may.</summary>
    internal static readonly StoreRateLimitLease Unavailable = new(null, "unavailable", TimeSpan.FromSeconds(1));

    internal static readonly StoreRateLimitLease NotAsked = new(null, "asynchronous only", null);

    private readonly RateLimitResult? result;
    private readonly string? reason;
    private readonly TimeSpan? retryAfter;

    internal StoreRateLimitLease(RateLimitResult result)
        : this(result, result.Decision switch { RateLimitDecision.Allowed => null, RateLimitDecision.Denied => "denied", _ => "penalized" }, result.RetryAfter)
    {
    }

    private StoreRateLimitLease(RateLimitResult? result, string? reason, TimeSpan? retryAfter)
    {
        this.result = result;
        this.reason = reason;
        this.retryAfter = retryAfter;
    }

    /// <inheritdoc/>
    public override bool IsAcquired => result is { IsAllowed: true };

    /// <inheritdoc/>
    public override IEnumerable<string> MetadataNames
    {
        get
        {
            if (retryAfter is not null)
            {
                yield return MetadataName.RetryAfter.Name;
            }

            if (reason is not null)
            {
                yield return MetadataName.ReasonPhrase.Name;
            }

            if (result is not null)
            {
                yield return Result.Name;
            }
        }
    }

    /// <inheritdoc/>
    public override bool TryGetMetadata(string metadataName, out object? metadata)
    {
        metadata = metadataName switch
        {
            _ when metadataName == MetadataName.RetryAfter.Name => retryAfter,
            _ when metadataName == MetadataName.ReasonPhrase.Name => reason,
            _ when metadataName == Result.Name => result,
            _ => null,
        };
        return metadata is not null;
    }
}
