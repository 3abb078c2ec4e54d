using Microsoft.AspNetCore.Http;

namespace Maintenance.Storage.AspNetCore.CookieTickets;

/// <summary>
/// What happened to a ticket in the course of one request. The framework's handler keeps the key that it read, so a key that changed reaches the
/// browser through <see cref="SessionCookieManager"/>.
/// </summary>
internal sealed class TicketChange
{
    /// <summary>The key that replaces the one of the request's cookie.</summary>
    public string? Key { get; set; }

    /// <summary>Signed out: a later sign-in of the same request starts a session of its own.</summary>
    public bool Removed { get; set; }

    /// <summary>No cookie is set: the session is gone, or a parallel request has already given out its next key.</summary>
    public bool Silent { get; set; }

    /// <summary>The store did not answer.</summary>
    public bool Unavailable { get; set; }

    public static TicketChange Of(HttpContext context, string scheme)
    {
        var key = (typeof(TicketChange), scheme);
        if (context.Items[key] is not TicketChange change)
        {
            context.Items[key] = change = new TicketChange();
        }

        return change;
    }
}
