using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.AspNetCore.CookieTickets;

/// <summary>
/// Keeps the tickets of a cookie scheme as sessions, so that they are listed, revoked and reconciled as any other. The key in the (encrypted) cookie
/// is the session's token, which Redis does not hold. Each renewal and each repeated sign-in rotates it; nothing here creates a session from one
/// that is gone.
/// </summary>
public sealed class SessionTicketStore : ITicketStore
{
    private readonly ISessionStore sessions;
    private readonly string scheme;
    private readonly IOptionsMonitor<SessionOptions> lives;
    private readonly TimeProvider timeProvider;
    private readonly ILogger logger;
    private readonly TicketContent content;

    internal SessionTicketStore(
        ISessionStore sessions, string scheme, SessionTicketOptions options, IOptionsMonitor<SessionOptions> lives, TimeProvider timeProvider, ILogger logger)
    {
        this.sessions = sessions;
        this.scheme = scheme;
        this.lives = lives;
        this.timeProvider = timeProvider;
        this.logger = logger;
        content = new TicketContent(scheme, options);
    }

    /// <summary>Whether somebody turns a read that failed into a denial that says so; else the exception goes to the host.</summary>
    internal bool DeniesWhenUnavailable { get; init; }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The ticket holds what a session cannot keep.</exception>
    /// <exception cref="ArgumentException">Its claims take more than <see cref="NewSession.MaxClaimsBytes"/> bytes.</exception>
    /// <exception cref="StorageUnavailableException">Nobody was signed in.</exception>
    public Task<string> StoreAsync(AuthenticationTicket ticket) => CreateAsync(ticket, null, CancellationToken.None);

    /// <inheritdoc cref="StoreAsync(AuthenticationTicket)"/>
    public Task<string> StoreAsync(AuthenticationTicket ticket, CancellationToken cancellationToken) => CreateAsync(ticket, null, cancellationToken);

    /// <inheritdoc cref="StoreAsync(AuthenticationTicket)"/>
    public Task<string> StoreAsync(AuthenticationTicket ticket, HttpContext httpContext, CancellationToken cancellationToken) =>
        CreateAsync(ticket, httpContext, cancellationToken);

    /// <summary>Slides the session's expiry if it is still there. Without a request no new key can be given out, so nothing else changes.</summary>
    public Task RenewAsync(string key, AuthenticationTicket ticket) => RenewAsync(key, ticket, CancellationToken.None);

    /// <inheritdoc cref="RenewAsync(string, AuthenticationTicket)"/>
    public Task RenewAsync(string key, AuthenticationTicket ticket, CancellationToken cancellationToken) => sessions.ValidateAsync(key, cancellationToken);

    /// <summary>
    /// Stores the ticket anew under a new key, if its session is still there. Another user gets another session, and the old one ends. A session
    /// that was revoked meanwhile stays revoked, and the answer sets no cookie.
    /// </summary>
    public async Task RenewAsync(string key, AuthenticationTicket ticket, HttpContext httpContext, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        var change = TicketChange.Of(httpContext, scheme);
        if (change.Removed)
        {
            (change.Key, change.Removed) = (await CreateAsync(ticket, httpContext, cancellationToken).ConfigureAwait(false), false);
            return;
        }

        var current = change.Key ?? key;
        var userId = content.UserIdOf(ticket);
        if ((await sessions.ValidateAsync(current, cancellationToken).ConfigureAwait(false)).Session is not { } session)
        {
            change.Silent = true;
        }
        else if (session.UserId != userId)
        {
            await sessions.RevokeAsync(session.UserId, session.Id, cancellationToken).ConfigureAwait(false);
            change.Key = await CreateAsync(ticket, httpContext, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            var claims = content.Write(ticket, session.Id, timeProvider.GetUtcNow());
            var rotation = await sessions.RotateAsync(current, new SessionChanges { Claims = claims }, cancellationToken).ConfigureAwait(false);
            change.Key = rotation.Issued?.Token.Value ?? change.Key;
            change.Silent = rotation.Issued is null;
        }
    }

    /// <summary>The ticket, if its session is valid.</summary>
    /// <exception cref="StorageUnavailableException">Not known.</exception>
    public Task<AuthenticationTicket?> RetrieveAsync(string key) => RetrieveAsync(key, CancellationToken.None);

    /// <inheritdoc cref="RetrieveAsync(string)"/>
    public async Task<AuthenticationTicket?> RetrieveAsync(string key, CancellationToken cancellationToken) =>
        (await sessions.ValidateAsync(key, cancellationToken).ConfigureAwait(false)).Session is { } session
            ? content.Read(session, timeProvider.GetUtcNow())
            : null;

    /// <summary>The ticket, if its session is valid; null also while the store does not answer.</summary>
    public async Task<AuthenticationTicket?> RetrieveAsync(string key, HttpContext httpContext, CancellationToken cancellationToken)
    {
        try
        {
            return await RetrieveAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (DeniesWhenUnavailable && exception is StorageUnavailableException or RedisServerException)
        {
            TicketChange.Of(httpContext, scheme).Unavailable = true;
            logger.SessionNotChecked(scheme, exception.Message);
            return null;
        }
    }

    /// <summary>Revokes the session.</summary>
    /// <exception cref="StorageUnavailableException">It may still be there; the sign-out fails and says so.</exception>
    public Task RemoveAsync(string key) => RemoveAsync(key, CancellationToken.None);

    /// <inheritdoc cref="RemoveAsync(string)"/>
    public async Task RemoveAsync(string key, CancellationToken cancellationToken)
    {
        // Read first: the key may be one that was rotated, and its session is known by another id now.
        if ((await sessions.ValidateAsync(key, cancellationToken).ConfigureAwait(false)).Session is { } session)
        {
            await sessions.RevokeAsync(session.UserId, session.Id, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc cref="RemoveAsync(string)"/>
    public async Task RemoveAsync(string key, HttpContext httpContext, CancellationToken cancellationToken)
    {
        var change = TicketChange.Of(httpContext, scheme);
        await RemoveAsync(change.Key ?? key, cancellationToken).ConfigureAwait(false);
        (change.Key, change.Removed, change.Silent) = (null, true, false);
    }

    private async Task<string> CreateAsync(AuthenticationTicket ticket, HttpContext? httpContext, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        var now = timeProvider.GetUtcNow();
        var properties = ticket.Properties;
        var configured = lives.CurrentValue;
        var life = properties.ExpiresUtc is { } expires ? expires - (properties.IssuedUtc ?? now) : configured.AbsoluteExpiration;
        var issued = await sessions.CreateAsync(
            new NewSession
            {
                UserId = content.UserIdOf(ticket),
                Claims = content.Write(ticket, null, now),
                IpAddress = httpContext?.Connection.RemoteIpAddress,
                UserAgent = httpContext?.Request.Headers.UserAgent.ToString(),
                AbsoluteExpiration = life,
                // "Remember me" is for who comes back after days; the others leave when they stay away.
                SlidingExpiration = properties.IsPersistent || life < configured.SlidingExpiration ? life : configured.SlidingExpiration,
            },
            cancellationToken).ConfigureAwait(false);
        return issued.Token.Value;
    }
}
