using System.Security.Claims;

namespace Maintenance.Storage.AspNetCore.CookieTickets;

/// <summary>What a cookie's ticket may leave in its session. Set in code, in <c>AddStoredCookieTickets</c>.</summary>
public sealed class SessionTicketOptions
{
    /// <summary>Types of the claim that holds the user id; the first that the principal has. Default <see cref="ClaimTypes.NameIdentifier"/>, <c>sub</c>.</summary>
    public IList<string> UserIdClaimTypes { get; set; } = [ClaimTypes.NameIdentifier, "sub"];

    /// <summary>
    /// Items of the ticket's properties that may be stored, readable for whoever reads Redis; default none. Saved tokens (<c>SaveTokens</c>) are
    /// refused whatever stands here.
    /// </summary>
    public ISet<string> KeptItems { get; set; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Items that are left out without an error. Default: the redirect URI, which only the log-in itself needs. Any other item is refused.</summary>
    public ISet<string> DroppedItems { get; set; } = new HashSet<string>(StringComparer.Ordinal) { ".redirect" };

    /// <summary><c>Retry-After</c> of the 503 that stands for a redirect to the log-in page while the store does not answer. Default 1 s.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);
}
