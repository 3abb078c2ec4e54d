using Maintenance.Storage.Sessions;
using Maintenance.Storage.UserData;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.Accounts;

/// <summary>Deletes an account and all that is known of its owner, or exports it.</summary>
internal sealed class AccountDeletion(
    UserManager<User> users, PasswordChange passwords, UserDataService data, ISessionStore sessions, SessionCookies cookies, IAuditTrail audit, TimeProvider clock)
{
    // Without a password the proof is a log-in that is this fresh.
    private static readonly TimeSpan FreshLogIn = TimeSpan.FromMinutes(10);

    public async Task<IResult> DeleteAsync(DeleteAccountRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        if (await users.FindByIdAsync(context.User.UserId()) is not { } user)
        {
            return Problems.Unauthorized();
        }

        if (await ConfirmAsync(user, request.Password, context, cancellationToken) is { } refusal)
        {
            return refusal;
        }

        await data.EraseAsync(user.Key, cancellationToken);
        cookies.Remove(context);
        audit.Record(context, new AuditEvent { Action = AuditActions.AccountDeleted, UserId = user.Key });
        return TypedResults.NoContent();
    }

    public async Task<IResult> ExportAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var user = context.User.UserId();
        var document = await data.ExportAsync(user, cancellationToken);
        audit.Record(context, new AuditEvent { Action = AuditActions.DataExported, UserId = user });
        return TypedResults.File(document, "application/json", "account.json");
    }

    private async Task<IResult?> ConfirmAsync(User user, string? password, HttpContext context, CancellationToken cancellationToken)
    {
        if (user.PasswordHash is not null)
        {
            return string.IsNullOrEmpty(password)
                ? Problems.Invalid("password", "The password is required.")
                : await passwords.ConfirmAsync(user, password, "password", context, cancellationToken);
        }

        var session = await sessions.GetAsync(user.Key, context.User.SessionId(), cancellationToken);
        return session is not null && clock.GetUtcNow() - session.AuthenticatedAt <= FreshLogIn
            ? null
            : Problems.Of(StatusCodes.Status403Forbidden, "reauthentication_required", "Sign in again, then repeat this within ten minutes.");
    }
}
