using System.Net;
using System.Net.Sockets;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Maintenance.Storage.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Storage.RateLimiting.AspNetCore;

/// <summary>
/// Partitions for <c>AddRateLimiter</c>: <c>options.AddPolicy("login", http => RateLimitPartitions.ByAddress(http, "login"))</c>, or
/// <c>options.GlobalLimiter = RateLimitPartitions.Limiter(RateLimitPartitions.ByUser, "default")</c>.
/// The address is the connection's: behind a proxy use the framework's forwarded-headers middleware first, and never trust the header yourself.
/// </summary>
public static class RateLimitPartitions
{
    // Whoever has one IPv6 address has at least its /64.
    private const int NetworkBytes = 8;

    /// <summary>By client address: an IPv4 address, or the /64 network of an IPv6 one.</summary>
    public static RateLimitPartition<string> ByAddress(HttpContext context, string policy)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Partition(context, policy, AddressSubject(context.Connection.RemoteIpAddress));
    }

    /// <summary>By signed-in user (<see cref="ClaimTypes.NameIdentifier"/>, or the claim <c>sub</c>); by address when nobody is signed in.</summary>
    public static RateLimitPartition<string> ByUser(HttpContext context, string policy)
    {
        ArgumentNullException.ThrowIfNull(context);
        var user = context.User.Identity?.IsAuthenticated == true
            ? context.User.FindFirstValue(ClaimTypes.NameIdentifier) ?? context.User.FindFirstValue("sub")
            : null;
        return string.IsNullOrEmpty(user) ? ByAddress(context, policy) : Partition(context, policy, $"user:{user}");
    }

    /// <summary>By route pattern, all callers together: a ceiling for an expensive endpoint. Requests that match no route share one limit.</summary>
    public static RateLimitPartition<string> ByRoute(HttpContext context, string policy)
    {
        ArgumentNullException.ThrowIfNull(context);
        var endpoint = context.GetEndpoint();
        var route = (endpoint as RouteEndpoint)?.RoutePattern.RawText ?? endpoint?.DisplayName;
        return Partition(context, policy, $"route:{route}");
    }

    /// <summary>A whole limiter over one of the partitions above.</summary>
    public static PartitionedRateLimiter<HttpContext> Limiter(Func<HttpContext, string, RateLimitPartition<string>> partition, string policy)
    {
        ArgumentNullException.ThrowIfNull(partition);
        return PartitionedRateLimiter.Create<HttpContext, string>(context => partition(context, policy), StringComparer.Ordinal);
    }

    /// <summary>An address as a subject, for limits that are asked directly.</summary>
    public static string AddressSubject(IPAddress? address)
    {
        var plain = RecordWriter.Plain(address);
        if (plain is not { AddressFamily: AddressFamily.InterNetworkV6 })
        {
            return $"address:{plain?.ToString() ?? "unknown"}";
        }

        var bytes = plain.GetAddressBytes();
        bytes.AsSpan(NetworkBytes).Clear();
        return $"address:{new IPAddress(bytes)}/64";
    }

    private static RateLimitPartition<string> Partition(HttpContext context, string policy, string subject)
    {
        var store = context.RequestServices.GetRequiredService<IRateLimitStore>();
        return RateLimitPartition.Get($"{policy}:{subject}", _ => new StoreRateLimiter(store, policy, subject));
    }
}
