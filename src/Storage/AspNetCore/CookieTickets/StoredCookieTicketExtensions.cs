using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.AspNetCore.CookieTickets;

/// <summary>Keeps the tickets of cookie authentication in the session store.</summary>
public static class StoredCookieTicketExtensions
{
    /// <summary>
    /// After <c>AddCookie</c> (or Identity's own method): the scheme's tickets are sessions. Needs <c>AddAuthStorage</c>. A session lives as
    /// <c>Storage:Sessions</c> says, or as long as the sign-in's <see cref="AuthenticationProperties.ExpiresUtc"/>; it slides by itself, so the
    /// scheme's own sliding expiration is switched off. While the store does not answer, a protected page answers 503 instead of
    /// sending a signed-in user to the log-in page, and a sign-out fails instead of claiming what it cannot know.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="scheme">The cookie scheme.</param>
    /// <param name="configure">What may be kept beside the claims.</param>
    public static AuthenticationBuilder AddStoredCookieTickets(
        this AuthenticationBuilder builder,
        string scheme = CookieAuthenticationDefaults.AuthenticationScheme,
        Action<SessionTicketOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(scheme);
        var tickets = new SessionTicketOptions();
        configure?.Invoke(tickets);
        builder.Services.AddOptions<CookieAuthenticationOptions>(scheme)
            .PostConfigure<ISessionStore, IOptionsMonitor<SessionOptions>, TimeProvider, ILoggerFactory>((options, sessions, lives, timeProvider, loggers) =>
            {
                var ours = options.EventsType is null;
                options.SessionStore = new SessionTicketStore(sessions, scheme, tickets, lives, timeProvider, loggers.CreateLogger<SessionTicketStore>())
                {
                    DeniesWhenUnavailable = ours,
                };
                options.CookieManager = new SessionCookieManager(options.CookieManager ?? new ChunkingCookieManager(), options, scheme);
                options.ExpireTimeSpan = lives.CurrentValue.AbsoluteExpiration;
                options.SlidingExpiration = false;
                if (ours)
                {
                    SayWhenUnavailable(options.Events, scheme, tickets.RetryAfter);
                }
            });
        return builder;
    }

    private static void SayWhenUnavailable(CookieAuthenticationEvents events, string scheme, TimeSpan retryAfter)
    {
        var (redirect, signOut) = (events.OnRedirectToLogin, events.OnSigningOut);
        events.OnRedirectToLogin = context =>
        {
            if (!TicketChange.Of(context.HttpContext, scheme).Unavailable)
            {
                return redirect(context);
            }

            UnavailableResponse.Write(context.Response, retryAfter);
            return Task.CompletedTask;
        };
        events.OnSigningOut = context =>
            TicketChange.Of(context.HttpContext, scheme).Unavailable
                ? throw new StorageUnavailableException(UnavailableReason.Connection, "The session could not be read, so it was not ended.")
                : signOut(context);
    }
}
