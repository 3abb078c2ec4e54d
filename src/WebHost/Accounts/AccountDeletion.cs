using Maintenance.Storage.UserData;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.StepUp;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.Accounts;

/// <summary>Deletes an account and all that is known of its owner.</summary>
internal sealed class AccountDeletion(
    UserManager<User> users, PasswordChange passwords, RecentProof proof, UserDataService data, SessionCookies cookies, AccountMail mail, IAuditTrail audit)
{
    public async Task<IResult> DeleteAsync(DeleteAccountRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        if (await users.FindByIdAsync(context.User.UserId()) is not { } user)
        {
            return Problems.Unauthorized();
        }

        if (await ConfirmAsync(user, request, context, cancellationToken) is { } refusal)
        {
            return refusal;
        }

        // Once it has begun it is not left half done because the client hangs up: nobody could ask for the rest.
        cancellationToken.ThrowIfCancellationRequested();
        audit.Record(context, new AuditEvent { Action = AuditActions.AccountDeleted, UserId = user.Key });
        await data.EraseAsync(user.Key, CancellationToken.None);
        cookies.Remove(context);
        mail.SendDeleted(user);
        return TypedResults.NoContent();
    }

    private async Task<IResult?> ConfirmAsync(User user, DeleteAccountRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        if (await proof.MissingCodeAsync(user, request.Code, context, cancellationToken) is { } missing)
        {
            return missing;
        }

        if (user.PasswordHash is null && !user.TwoFactorEnabled && !await proof.IsRecentAsync(context, cancellationToken))
        {
            return Problems.Of(StatusCodes.Status403Forbidden, RecentAuthentication.Code, "Sign in again, then repeat this soon.");
        }

        if (user.PasswordHash is not null)
        {
            var wrong = string.IsNullOrEmpty(request.Password)
                ? Problems.Invalid("password", "The password is required.")
                : await passwords.ConfirmAsync(user, request.Password, "password", context, cancellationToken);
            if (wrong is not null)
            {
                return wrong;
            }
        }

        return await proof.WrongCodeAsync(user, request.Code, context, cancellationToken);
    }
}
