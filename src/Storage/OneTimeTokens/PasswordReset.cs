using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.OneTimeTokens;

/// <summary>Redeems a password-reset token so that nothing from before the new password survives.</summary>
public sealed class PasswordReset(IOneTimeTokenStore tokens, ISessionStore sessions)
{
    /// <summary>
    /// Uses the token up, ends everything of the user (sessions, refresh families, challenges, other one-time tokens), sets the password, and ends
    /// what was made with the old password meanwhile.
    /// </summary>
    /// <param name="token">What the client sent; anything, null included.</param>
    /// <param name="changePassword">Stores the new password of the user whose id it gets. Not called if the token is denied.</param>
    /// <param name="cancellationToken">Ends the wait for the redemption, and is passed to <paramref name="changePassword"/>; what follows a redemption goes on.</param>
    /// <exception cref="StorageUnavailableException">
    /// The store did not answer. Before the password was set the user asks for another token; after it, log-ins with the old password are refused
    /// already, and only a session made in between may be left.
    /// </exception>
    public async Task<OneTimeRedemption> ResetAsync(
        string? token, Func<string, CancellationToken, Task> changePassword, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(changePassword);
        var redemption = await tokens.RedeemAsync(OneTimePurpose.PasswordReset, token, cancellationToken).ConfigureAwait(false);
        if (redemption.Token is not { } redeemed)
        {
            return redemption;
        }

        // Not the caller's token: the reset is used up, and a client that hangs up must not leave a session of the old password behind.
        // The store's own deadline bounds the wait.
        await sessions.RevokeAllAsync(redeemed.UserId, except: null, CancellationToken.None).ConfigureAwait(false);
        await changePassword(redeemed.UserId, cancellationToken).ConfigureAwait(false);
        await sessions.RevokeAllAsync(redeemed.UserId, except: null, CancellationToken.None).ConfigureAwait(false);
        return redemption;
    }
}
