using Maintenance.Storage.OneTimeTokens;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.Accounts;

/// <summary>Proves by a mailed token that an address is the user's.</summary>
internal sealed class EmailVerification(IOneTimeTokenStore tokens, UserManager<User> users, IAuditTrail audit)
{
    public async Task<IResult> VerifyAsync(TokenRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        var redemption = await tokens.RedeemAsync(OneTimePurpose.EmailVerification, request.Token, cancellationToken);
        // The token is for an address; a user who has another one by now has not proved that.
        if (redemption.Token is not { } token
            || await users.FindByIdAsync(token.UserId) is not { DisabledAt: null } user
            || token.Data != user.NormalizedEmail)
        {
            return Problems.InvalidToken("The link is not valid any more. Ask for a new one.");
        }

        user.EmailVerified = true;
        if (!(await users.UpdateAsync(user)).Succeeded)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "conflict", "The account was changed at the same time. Ask for a new link.");
        }

        audit.Record(context, new AuditEvent { Action = AuditActions.EmailVerified, UserId = user.Key });
        return TypedResults.NoContent();
    }
}
