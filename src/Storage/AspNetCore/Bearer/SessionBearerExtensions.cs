using Maintenance.Storage.Sessions;
using Microsoft.AspNetCore.Authentication;

namespace Maintenance.Storage.AspNetCore.Bearer;

/// <summary>Adds authentication by session token.</summary>
public static class SessionBearerExtensions
{
    /// <summary>
    /// Authenticates requests by the tokens that <see cref="ISessionStore.CreateAsync"/> gave out, under the scheme
    /// <see cref="SessionBearerDefaults.AuthenticationScheme"/>. Needs <c>AddAuthStorage</c>.
    /// </summary>
    public static AuthenticationBuilder AddSessionBearer(this AuthenticationBuilder builder, Action<SessionBearerOptions>? configure = null) =>
        builder.AddSessionBearer(SessionBearerDefaults.AuthenticationScheme, configure);

    /// <summary>The same under a scheme of one's own.</summary>
    public static AuthenticationBuilder AddSessionBearer(
        this AuthenticationBuilder builder, string authenticationScheme, Action<SessionBearerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddScheme<SessionBearerOptions, SessionBearerHandler>(authenticationScheme, configure);
    }
}
