using System.Threading.RateLimiting;
using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.RateLimiting.AspNetCore;
using Maintenance.Storage.TwoFactor;
using Maintenance.WebHost.Admin.Pages;
using Maintenance.WebHost.Hosting;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.RateLimits;

internal static class RateLimitSetup
{
    private const int HealthPermitsPerSecond = 50;
    private const int PagePermitsPerSecond = 50;

    /// <summary>Adds the limits of this host. Before <c>AddAuthStorage</c>, so that configuration wins.</summary>
    public static IServiceCollection AddHostLimits(this IServiceCollection services)
    {
        services.AddOptions<RateLimitOptions>().Configure(options =>
        {
            foreach (var (name, policy) in Limits.Defaults())
            {
                options.Policies.TryAdd(name, policy);
            }
        });
        services.AddSettings<VerifyLimitOptions, VerifyLimitOptionsValidator>(VerifyLimitOptions.Section);
        services.AddRateLimiter(limiter =>
        {
            foreach (var name in (string[])[Limits.Login, Limits.AdminLogin, Limits.Register, Limits.Mail, Limits.Redeem, Limits.Refresh, Limits.Public])
            {
                limiter.AddPolicy(name, context => RateLimitPartitions.ByAddress(context, name));
            }

            foreach (var name in (string[])[Limits.User, Limits.Sensitive, Limits.Admin])
            {
                limiter.AddPolicy(name, context => RateLimitPartitions.ByUser(context, name));
            }

            limiter.AddPolicy(Limits.Verify, context => Local(context, context.RequestServices.GetRequiredService<IOptions<VerifyLimitOptions>>().Value.PermitsPerSecond));
            limiter.AddPolicy(Limits.Health, context => Local(context, HealthPermitsPerSecond));
            limiter.AddPolicy(Limits.Page, context => Local(context, PagePermitsPerSecond));
            limiter.OnRejected = (rejected, _) => new ValueTask(RejectAsync(rejected));
        });
        return services;
    }

    private static RateLimitPartition<string> Local(HttpContext context, int permitsPerSecond) => RateLimitPartition.Get(
        RateLimitPartitions.AddressSubject(context.Connection.RemoteIpAddress),
        _ => new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
        {
            TokenLimit = permitsPerSecond,
            TokensPerPeriod = Math.Max(1, permitsPerSecond / 10),
            ReplenishmentPeriod = TimeSpan.FromMilliseconds(permitsPerSecond >= 10 ? 100 : 1000.0 / permitsPerSecond),
            AutoReplenishment = false,
            QueueLimit = 0,
        }));

    /// <summary>Says of a limit that this host keeps by itself what the store says of its own.</summary>
    private static void WriteLocal(HttpContext context, TimeSpan retryAfter)
    {
        var limit = context.GetEndpoint()?.Metadata.GetMetadata<EnableRateLimitingAttribute>()?.PolicyName switch
        {
            Limits.Verify => context.RequestServices.GetRequiredService<IOptions<VerifyLimitOptions>>().Value.PermitsPerSecond,
            Limits.Health => HealthPermitsPerSecond,
            Limits.Page => PagePermitsPerSecond,
            _ => (int?)null,
        };
        if (limit is { } permits)
        {
            RateLimitHeaders.Write(context.Response, new RateLimitResult
            {
                Policy = "local",
                Decision = RateLimitDecision.Denied,
                Limit = permits,
                Remaining = 0,
                ResetAfter = TimeSpan.FromSeconds(1),
                RetryAfter = retryAfter,
            });
        }
    }

    private static Task RejectAsPageAsync(OnRejectedContext rejected)
    {
        if (IsUnavailable(rejected))
        {
            return AdminPageProblems.Unavailable(rejected.HttpContext).ExecuteAsync(rejected.HttpContext);
        }

        var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromSeconds(1);
        rejected.HttpContext.Response.Headers.RetryAfter = Problems.Seconds(wait);
        return AdminPageProblems.SendAsync(
            rejected.HttpContext,
            new() { Status = StatusCodes.Status429TooManyRequests, Detail = $"Too many requests. Try again in {Problems.Seconds(wait)} s." });
    }

    private static bool IsUnavailable(OnRejectedContext rejected) =>
        rejected.Lease.TryGetMetadata(MetadataName.ReasonPhrase, out var reason) && reason == "unavailable";

    private static Task RejectAsync(OnRejectedContext rejected)
    {
        var response = rejected.HttpContext.Response;
        RateLimitHeaders.Write(response, rejected.Lease);
        if (rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var local) && !rejected.Lease.TryGetMetadata(StoreRateLimitLease.Result, out _))
        {
            WriteLocal(rejected.HttpContext, local);
        }

        if (AdminPageProblems.Serves(rejected.HttpContext.GetEndpoint()))
        {
            return RejectAsPageAsync(rejected);
        }

        // A limit that could not be asked says nothing of the client.
        return IsUnavailable(rejected)
            ? Problems.Unavailable(response, "The store of rate limits does not answer. Try again.", TimeSpan.FromSeconds(1), "storage_unavailable")
                .ExecuteAsync(rejected.HttpContext)
            : LimitProblems.TooMany(rejected.HttpContext, rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromSeconds(1))
                .ExecuteAsync(rejected.HttpContext);
    }
}

/// <summary>The answer of a limit.</summary>
internal static class LimitProblems
{
    public static IResult TooMany(HttpContext context, TimeSpan retryAfter)
    {
        context.Response.Headers.RetryAfter = Problems.Seconds(retryAfter);
        return Problems.Of(StatusCodes.Status429TooManyRequests, "rate_limited", "Too many requests. Wait as long as Retry-After says.");
    }

    /// <summary>The answer of the second factor's lock, which counts a user's attempts over all challenges.</summary>
    public static IResult TooManyCodes(HttpContext context, TimeSpan retryAfter) => TooMany(context, new RateLimitResult
    {
        Policy = "second-factor",
        Decision = RateLimitDecision.Denied,
        Limit = context.RequestServices.GetRequiredService<IOptionsMonitor<TwoFactorOptions>>().CurrentValue.MaxAttemptsPerUser,
        Remaining = 0,
        ResetAfter = retryAfter,
        RetryAfter = retryAfter,
    });

    /// <summary>The answer of a limit that an endpoint asked by itself.</summary>
    public static IResult TooMany(HttpContext context, RateLimitResult result)
    {
        RateLimitHeaders.Write(context.Response, result);
        return TooMany(context, result.RetryAfter ?? TimeSpan.FromSeconds(1));
    }
}
