using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.Redis;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.SignIn;

/// <summary>A try of a log-in, and what it was counted by.</summary>
/// <param name="Result">What the limit said.</param>
/// <param name="Request">Which limit.</param>
/// <param name="Device">The device that is known to the account; null: anybody's.</param>
internal sealed record LogInTry(RateLimitResult Result, RateLimitRequest Request, KnownLogIn? Device)
{
    /// <summary>Whether the password may be compared.</summary>
    public bool IsAllowed => Result.IsAllowed;

    /// <summary>Failures that still count after this try.</summary>
    public int FailuresBefore => Math.Max(0, Result.Limit - Result.Remaining - 1);
}

/// <summary>
/// Failures of an account, known or not: a few at once, then longer and longer blocks. It counts by address, in Redis, so it costs and says the same
/// for an account that does not exist. A device that the account knows is counted by itself, so strangers cannot block it.
/// </summary>
internal sealed class AccountLimit(IRateLimitStore limits, ILookupNormalizer normalizer)
{
    /// <summary>Takes one try; a success gives all back by <see cref="TryForgetAsync(LogInTry, CancellationToken)"/>.</summary>
    /// <param name="email">As the client sent it.</param>
    /// <param name="device">The device, if the account knows it. When its own tries are used up it is counted as a stranger's, so an unlocked account is open to it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<LogInTry> TryAsync(string email, KnownLogIn? device, CancellationToken cancellationToken)
    {
        var own = device is null ? null : await AcquireAsync(Limits.LoginDevice, device.Subject, device, cancellationToken);
        if (own is { IsAllowed: true })
        {
            return own;
        }

        var shared = await AcquireAsync(Limits.LoginAccount, Subject(email), device, cancellationToken);
        // Of two blocks the one that ends first says when to come again.
        return !shared.IsAllowed && own is not null && own.Result.RetryAfter < shared.Result.RetryAfter ? own : shared;
    }

    /// <summary>Gives a try back at which no password was compared.</summary>
    public async Task TryRefundAsync(LogInTry counted)
    {
        try
        {
            // Whoever hangs up here must not pay either.
            await limits.RefundAsync(counted.Request, counted.Result, CancellationToken.None);
        }
        catch (StorageUnavailableException)
        {
            // It comes back by itself.
        }
    }

    /// <summary>How long an account is blocked yet for devices that it does not know; null: it is not.</summary>
    public async Task<TimeSpan?> BlockedForAsync(string email, CancellationToken cancellationToken)
    {
        var next = await limits.PeekAsync(Limits.LoginAccount, Subject(email), cancellationToken);
        return next.IsAllowed ? null : next.RetryAfter;
    }

    /// <summary>Forgets failures and blocks: the password was reset, or an administrator says so.</summary>
    public Task<bool> ForgetAsync(string email, CancellationToken cancellationToken) =>
        limits.ResetAsync(Limits.LoginAccount, Subject(email), cancellationToken);

    /// <summary>The same after a reset, which holds whether the store answers or not: while it is away failures go on counting until they lapse.</summary>
    public Task<bool> TryForgetAsync(string email, CancellationToken cancellationToken) => TryResetAsync(Limits.LoginAccount, Subject(email), cancellationToken);

    /// <summary>
    /// Forgets the failures of who has sent the right password. Strangers' are forgotten only by a success among them: an owner's log-in from a known
    /// device gives nobody who is guessing his tries back.
    /// </summary>
    public async Task TryForgetAsync(LogInTry counted, CancellationToken cancellationToken)
    {
        await TryResetAsync(counted.Request.Policy, counted.Request.Subject, cancellationToken);
        if (counted.Device is { } device && counted.Request.Policy != Limits.LoginDevice)
        {
            await TryResetAsync(Limits.LoginDevice, device.Subject, cancellationToken);
        }
    }

    /// <summary>
    /// Takes one try of somebody who is signed in to the account and proves again who it is. It is counted apart: wrong passwords that strangers send to the
    /// log-in keep nobody out who is in already.
    /// </summary>
    public Task<RateLimitResult> TrySignedInAsync(User user, CancellationToken cancellationToken) =>
        limits.AcquireAsync(new RateLimitRequest(Limits.LoginAccount, Subject(user)), cancellationToken);

    /// <summary>Forgets what <see cref="TrySignedInAsync"/> has counted.</summary>
    public Task<bool> TryForgetSignedInAsync(User user, CancellationToken cancellationToken) => TryResetAsync(Limits.LoginAccount, Subject(user), cancellationToken);

    private async Task<LogInTry> AcquireAsync(string policy, string subject, KnownLogIn? device, CancellationToken cancellationToken)
    {
        var request = new RateLimitRequest(policy, subject);
        return new LogInTry(await limits.AcquireAsync(request, cancellationToken), request, device);
    }

    private async Task<bool> TryResetAsync(string policy, string subject, CancellationToken cancellationToken)
    {
        try
        {
            return await limits.ResetAsync(policy, subject, cancellationToken);
        }
        catch (StorageUnavailableException)
        {
            return false;
        }
    }

    private static string Subject(User user) => $"user:{user.Key}";

    private string Subject(string email) => $"account:{normalizer.NormalizeEmail(email)}";
}
