using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.StepUp;

/// <summary>
/// Whether the session's owner has proved lately who it is, for endpoints that ask for the password themselves: with a second factor on the password
/// alone is half a proof.
/// </summary>
internal sealed class RecentProof(ISessionStore sessions, AuthenticatorCheck authenticator, IOptionsMonitor<StepUpOptions> options, TimeProvider clock)
{
    /// <summary>Whether the session began, or was proved again, not long ago.</summary>
    public async Task<bool> IsRecentAsync(HttpContext context, CancellationToken cancellationToken) =>
        await sessions.GetAsync(context.User.UserId(), context.User.SessionId(), cancellationToken) is { } session
        && RecentAuthentication.IsRecent(session, clock.GetUtcNow(), options.CurrentValue.MaxAge);

    /// <summary>The refusal of a request without the code that it needs; null: it needs none, or has one. Uses nothing up.</summary>
    public async Task<IResult?> MissingCodeAsync(User user, string? code, HttpContext context, CancellationToken cancellationToken) =>
        user.TwoFactorEnabled && string.IsNullOrEmpty(code) && !await IsRecentAsync(context, cancellationToken)
            ? Problems.Invalid("code", "A code of the authenticator is required.")
            : null;

    /// <summary>The refusal of a code that does not count; null: it does, or none was sent (<see cref="MissingCodeAsync"/> says whether that may be).</summary>
    public async Task<IResult?> WrongCodeAsync(User user, string? code, HttpContext context, CancellationToken cancellationToken) =>
        user.TwoFactorEnabled && !string.IsNullOrEmpty(code) ? await authenticator.RefusalAsync(context, user, code, cancellationToken) : null;
}
