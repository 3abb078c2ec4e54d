using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.Redis;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.SignIn;

/// <summary>
/// Failures of an account, known or not: a few at once, then longer and longer blocks. It counts by address, in Redis, so it costs and says the same
/// for an account that does not exist.
/// </summary>
internal sealed class AccountLimit(IRateLimitStore limits, ILookupNormalizer normalizer)
{
    /// <summary>Takes one try; a success gives all back by <see cref="ForgetAsync"/>.</summary>
    public Task<RateLimitResult> TryAsync(string email, CancellationToken cancellationToken) =>
        limits.AcquireAsync(new RateLimitRequest(Limits.LoginAccount, Subject(email)), cancellationToken);

    /// <summary>How long an account is blocked yet; null: it is not.</summary>
    public async Task<TimeSpan?> BlockedForAsync(string email, CancellationToken cancellationToken)
    {
        var next = await limits.PeekAsync(Limits.LoginAccount, Subject(email), cancellationToken);
        return next.IsAllowed ? null : next.RetryAfter;
    }

    /// <summary>Forgets failures and blocks: the password was right, was reset, or an administrator says so.</summary>
    public Task<bool> ForgetAsync(string email, CancellationToken cancellationToken) =>
        limits.ResetAsync(Limits.LoginAccount, Subject(email), cancellationToken);

    /// <summary>The same after a right password, which is right whether the store answers or not: while it is away failures go on counting until they lapse.</summary>
    public async Task<bool> TryForgetAsync(string email, CancellationToken cancellationToken)
    {
        try
        {
            return await ForgetAsync(email, cancellationToken);
        }
        catch (StorageUnavailableException)
        {
            return false;
        }
    }

    /// <summary>
    /// Takes one try of somebody who is signed in to the account and proves again who it is. It is counted apart: wrong passwords that strangers send to the
    /// log-in keep nobody out who is in already.
    /// </summary>
    public Task<RateLimitResult> TrySignedInAsync(User user, CancellationToken cancellationToken) =>
        limits.AcquireAsync(new RateLimitRequest(Limits.LoginAccount, Subject(user)), cancellationToken);

    /// <summary>Forgets what <see cref="TrySignedInAsync"/> has counted.</summary>
    public async Task<bool> TryForgetSignedInAsync(User user, CancellationToken cancellationToken)
    {
        try
        {
            return await limits.ResetAsync(Limits.LoginAccount, Subject(user), cancellationToken);
        }
        catch (StorageUnavailableException)
        {
            return false;
        }
    }

    /// <summary>Failures that still count after a try.</summary>
    public static int FailuresBefore(RateLimitResult result) => Math.Max(0, result.Limit - result.Remaining - 1);

    private static string Subject(User user) => $"user:{user.Key}";

    private string Subject(string email) => $"account:{normalizer.NormalizeEmail(email)}";
}
