using Maintenance.Storage.OneTimeTokens;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.Accounts;

/// <summary>
/// Proves by a mailed token that an address is the user's. The token alone says nothing of who knows the password; only with the session or the password
/// beside it the account counts as its owner's (<see cref="User.OwnerProved"/>).
/// </summary>
internal sealed class EmailVerification(IOneTimeTokenStore tokens, UserManager<User> users, PasswordChange passwords, IAuditTrail audit)
{
    public async Task<IResult> VerifyAsync(VerifyEmailRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        // Looked at first: a mistyped password must not cost the user the token.
        var look = await tokens.PeekAsync(OneTimePurpose.EmailVerification, request.Token, cancellationToken);
        // The token is for an address; a user who has another one by now has not proved that.
        if (look.Token is not { } token
            || await users.FindByIdAsync(token.UserId) is not { DisabledAt: null } user
            || token.Data != user.NormalizedEmail)
        {
            return Refuse(context, look.Token?.UserId);
        }

        // The session's cookie needs no antiforgery token here: whoever makes a browser send this must know the token from the mailbox.
        var isSignedIn = context.User.Identity?.IsAuthenticated == true && context.User.UserId() == user.Key;
        var knowsPassword = !isSignedIn && user.PasswordHash is not null && !string.IsNullOrEmpty(request.Password);
        if (knowsPassword && await passwords.ConfirmAsync(user, request.Password!, "password", context, cancellationToken) is { } wrong)
        {
            return wrong;
        }

        if (!(await tokens.RedeemAsync(OneTimePurpose.EmailVerification, request.Token, cancellationToken)).IsAccepted)
        {
            return Refuse(context, user.Key);
        }

        user.EmailVerified = true;
        user.OwnerProved |= isSignedIn || knowsPassword;
        if (!(await users.UpdateAsync(user)).Succeeded)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "conflict", "The account was changed at the same time. Ask for a new link.");
        }

        audit.Record(context, new AuditEvent { Action = AuditActions.EmailVerified, UserId = user.Key });
        return TypedResults.NoContent();
    }

    private ProblemHttpResult Refuse(HttpContext context, string? user)
    {
        audit.Record(context, new AuditEvent { Action = AuditActions.EmailVerified, Succeeded = false, UserId = user, Detail = AuditDetails.DeadLink });
        return Problems.InvalidToken("The link is not valid any more. Ask for a new one.");
    }
}
