using System.Globalization;
using System.Security.Claims;
using Maintenance.Storage.Sessions;
using Microsoft.AspNetCore.Authentication;

namespace Maintenance.Storage.AspNetCore.CookieTickets;

/// <summary>
/// A cookie's ticket as a session's claims and back. What would be lost silently or is a secret is refused, by name and never by value: several
/// identities, an actor, a saved sign-in token, and properties that nobody allowed.
/// </summary>
internal sealed class TicketContent(string scheme, SessionTicketOptions options)
{
    private const string SessionIdType = "sid";
    private const string AuthenticationTypeName = "\ntype";
    private const string NameTypeName = "\nname";
    private const string RoleTypeName = "\nrole";
    private const string UserTypeName = "\nuser";
    private const string IssuedName = "\nissued";
    private const string ItemHead = "\n:";
    private const string Persistent = ".persistent";

    // The handler's own, kept as they are or in a form of their own.
    private static readonly HashSet<string> KnownItems = new(StringComparer.Ordinal) { Persistent, ".refresh" };
    private static readonly HashSet<string> TimeItems = new(StringComparer.Ordinal) { ".issued", ".expires" };

    /// <summary>Whose ticket it is.</summary>
    /// <exception cref="InvalidOperationException">It does not say.</exception>
    public string UserIdOf(AuthenticationTicket ticket) => UserClaimOf(ticket.Principal).Value;

    /// <summary>The claims to store.</summary>
    /// <param name="ticket">The ticket.</param>
    /// <param name="session">The session that it came from, if it has one.</param>
    /// <param name="now">Issue time where the ticket has none.</param>
    /// <exception cref="InvalidOperationException">The ticket holds what cannot be kept.</exception>
    public Dictionary<string, string> Write(AuthenticationTicket ticket, SessionId? session, DateTimeOffset now)
    {
        var identity = ticket.Principal.Identities.Count() == 1
            ? ticket.Principal.Identities.First()
            : throw Refused("its principal has more than one identity, or none");
        if (identity.Actor is not null || identity.BootstrapContext is not null)
        {
            throw Refused("its identity has an actor or a saved sign-in token");
        }

        var stored = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [IssuedName] = (ticket.Properties.IssuedUtc ?? now).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
        };
        var user = UserClaimOf(ticket.Principal);
        Keep(stored, AuthenticationTypeName, identity.AuthenticationType, scheme);
        Keep(stored, NameTypeName, identity.NameClaimType, ClaimsIdentity.DefaultNameClaimType);
        Keep(stored, RoleTypeName, identity.RoleClaimType, ClaimsIdentity.DefaultRoleClaimType);
        Keep(stored, UserTypeName, user.Type, ClaimTypes.NameIdentifier);
        foreach (var (name, value) in ticket.Properties.Items)
        {
            if (value is not null && IsKept(name))
            {
                stored[ItemHead + name] = value;
            }
        }

        StoredClaims.Write(identity.Claims.Where(claim => claim != user && !(claim.Type == SessionIdType && claim.Value == session?.Value)), stored);
        return stored;
    }

    /// <summary>The ticket of a session. Its times are this host's clock, as the handler's; whether it is over, Redis has already decided.</summary>
    public AuthenticationTicket Read(Session session, DateTimeOffset now)
    {
        var stored = session.Claims;
        var identity = new ClaimsIdentity(
            stored.GetValueOrDefault(AuthenticationTypeName, scheme),
            stored.GetValueOrDefault(NameTypeName, ClaimsIdentity.DefaultNameClaimType),
            stored.GetValueOrDefault(RoleTypeName, ClaimsIdentity.DefaultRoleClaimType));
        identity.AddClaim(new Claim(stored.GetValueOrDefault(UserTypeName, ClaimTypes.NameIdentifier), session.UserId));
        foreach (var (type, value) in StoredClaims.Read(stored))
        {
            identity.AddClaim(new Claim(type, value));
        }

        if (!identity.HasClaim(claim => claim.Type == SessionIdType))
        {
            identity.AddClaim(new Claim(SessionIdType, session.Id.Value));
        }

        var properties = new AuthenticationProperties();
        foreach (var (name, value) in stored)
        {
            if (name.StartsWith(ItemHead, StringComparison.Ordinal))
            {
                properties.Items[name[ItemHead.Length..]] = value;
            }
        }

        properties.IssuedUtc = stored.TryGetValue(IssuedName, out var text) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var issued)
            ? DateTimeOffset.FromUnixTimeMilliseconds(issued)
            : now;
        properties.ExpiresUtc = now + (session.AbsoluteExpiresAt - session.LastSeenAt);
        return new AuthenticationTicket(new ClaimsPrincipal(identity), properties, scheme);
    }

    private static void Keep(Dictionary<string, string> stored, string name, string? value, string usual)
    {
        if (value is not null && value != usual)
        {
            stored[name] = value;
        }
    }

    private bool IsKept(string name)
    {
        if (name.StartsWith(".Token", StringComparison.Ordinal))
        {
            throw Refused("its properties hold saved tokens, which are secrets; set SaveTokens to false and keep them elsewhere");
        }

        if (KnownItems.Contains(name) || options.KeptItems.Contains(name))
        {
            return true;
        }

        return TimeItems.Contains(name) || options.DroppedItems.Contains(name)
            ? false
            : throw Refused($"nobody allowed its property '{name}'; name it in {nameof(SessionTicketOptions.KeptItems)} or {nameof(SessionTicketOptions.DroppedItems)}");
    }

    private Claim UserClaimOf(ClaimsPrincipal principal) =>
        options.UserIdClaimTypes.Select(principal.FindFirst).FirstOrDefault(claim => claim is { Value.Length: > 0 })
        ?? throw Refused($"its principal has no user id ({string.Join(", ", options.UserIdClaimTypes)})");

    private InvalidOperationException Refused(string why) => new($"The ticket of '{scheme}' cannot be kept in a session: {why}.");
}
