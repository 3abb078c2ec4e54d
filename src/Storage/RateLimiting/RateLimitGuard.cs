using Maintenance.Storage.Redis;

namespace Maintenance.Storage.RateLimiting;

/// <summary>What both stores refuse alike.</summary>
internal static class RateLimitGuard
{
    /// <summary>The policy that a request names, if its cost can ever be met.</summary>
    public static RateLimitPolicy Check(RateLimitOptions options, RateLimitRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var policy = options.Find(request.Policy);
        var burst = policy.Burst ?? policy.Permits;
        return request.Cost >= 1 && request.Cost <= burst
            ? policy
            : throw new ArgumentOutOfRangeException(nameof(request), request.Cost, $"A cost of rate limit '{request.Policy}' is 1 to {burst}, its burst.");
    }

    /// <summary>A subject as it is stored.</summary>
    public static string Hash(string subject) => OpaqueId.Of(subject, RateLimitRequest.MaxSubjectBytes);
}
