using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.RateLimiting;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Mail;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Accounts;

/// <summary>The messages of accounts. All is done behind the request: the look-up, the token and the delivery.</summary>
internal sealed class AccountMail(Outbox outbox, IOptionsMonitor<MailOptions> options)
{
    private const string Claimed = "account_claimed";

    private const string StrangersRemoved =
        "Providers and a second factor that had been set up before this address was proved to be yours have been removed; set them up again.";

    /// <summary>How a message begins. Without a name until somebody has shown to own the address: before that the name is whatever a stranger wrote.</summary>
    public static string Greeting(User user) => user.OwnerProved ? $"Hello {user.Name}," : "Hello,";

    /// <summary>A link to choose a new password, if the address has an account with room for another message.</summary>
    public void SendReset(string email) => outbox.Post("password_reset", (services, stop) => ToUserAsync(services, "password_reset", email, async user =>
    {
        var issued = await services.GetRequiredService<IOneTimeTokenStore>().IssueAsync(OneTimePurpose.PasswordReset, user.Key, data: null, stop);
        services.GetRequiredService<IAuditTrail>().Record(new AuditEvent { Action = AuditActions.ResetAsked, UserId = user.Key });
        return new Email("password_reset", user.Email, "Choose a new password", $"""
            {Greeting(user)}

            somebody, probably you, asked for a new password. This link works once, until {issued.Stored.ExpiresAt:u}:

            {Link("reset-password", issued.Token.Value)}

            If it was not you, do nothing: your password stays as it is.
            """);
    }, stop));

    /// <summary>A link that proves that the address is the user's.</summary>
    public void SendVerification(string email) => outbox.Post("email_verification", (services, stop) => ToUserAsync(services, "email_verification", email, async user =>
    {
        if (user is { EmailVerified: true, OwnerProved: true })
        {
            return null;
        }

        var issued = await services.GetRequiredService<IOneTimeTokenStore>()
            .IssueAsync(OneTimePurpose.EmailVerification, user.Key, user.NormalizedEmail, stop);
        return new Email("email_verification", user.Email, "Verify your e-mail address", $"""
            {Greeting(user)}

            this link proves that the address is yours. It works once, until {issued.Stored.ExpiresAt:u}:

            {Link("verify-email", issued.Token.Value)}

            If it was not you who made an account with this address, do not follow the link: somebody else knows the account's password. To make the
            account yours, ask for a new password instead.
            """);
    }, stop));

    /// <summary>Tells the owner of an address that somebody tried to register it again.</summary>
    public void SendAlreadyRegistered(string email) => outbox.Post("already_registered", (services, stop) => ToUserAsync(
        services,
        "already_registered",
        email,
        user => Task.FromResult<Email?>(new Email("already_registered", user.Email, "You have an account already", $"""
            {Greeting(user)}

            somebody, probably you, tried to register with this address. You have an account already: sign in, or ask for a new password.

            {options.CurrentValue.Site}
            """)),
        stop));

    /// <summary>Tells a user that the password has changed. Without a name: with a reset it may be a stranger's text still.</summary>
    /// <param name="user">Whose it is, as it is now.</param>
    /// <param name="strangersRemoved">Whether providers and the second factor went with it, because nobody knows whose they were.</param>
    public void SendPasswordChanged(User user, bool strangersRemoved = false)
    {
        var email = new Email("password_changed", user.Email, "Your password has changed", $"""
            Hello,

            the password of your account has just been changed, and every session has been ended. If it was not you, ask for a new password at once.
            {(strangersRemoved ? StrangersRemoved : "")}
            {options.CurrentValue.Site}
            """);
        outbox.Tell(email);
    }

    /// <summary>Tells the owner that a code of the authenticator was used a second time; nobody but who knows the password can cause this.</summary>
    public void SendCodeRepeated(User user) => outbox.Post("code_repeated", (services, stop) => ToUserAsync(
        services,
        "code_repeated",
        user.Email,
        found => Task.FromResult<Email?>(new Email("code_repeated", found.Email, "A code was used a second time", $"""
            {Greeting(found)}

            somebody tried to use a code of your authenticator that had been used before. It was refused. If it was not you, somebody has seen your code and
            knows your password: change it at once.

            {options.CurrentValue.Site}
            """)),
        stop));

    /// <summary>Tells a user that a provider signs in no more.</summary>
    public void SendUnlinked(User user, string provider) => Tell(user, "external_unlinked", "A way to sign in was removed", $"""
        your account can no longer be signed in to by "{provider}". If it was not you, change your password and look at your account's providers and sessions.
        """);

    /// <summary>Tells a user that a provider signs in now, which proved an address that nobody had proved before.</summary>
    public void SendClaimed(User user, string provider) => Tell(user, Claimed, "A new way to sign in", $"""
        your account can now be signed in to by "{provider}". Its password was set before anybody had shown to own both the account and this address, so it
        works no more, and every session has been ended. You can choose a new one by forgot-password.
        {StrangersRemoved}
        """);

    /// <summary>Tells a user, for the last time, that the account is gone.</summary>
    public void SendDeleted(User user) => Tell(user, "account_deleted", "Your account has been deleted", """
        your account and all that was known of you have just been deleted. If it was not you, somebody else could sign in to it: change that password where
        you use it too.
        """);

    private void Tell(User user, string kind, string subject, string news)
    {
        var email = new Email(kind, user.Email, subject, $"""
            {(kind == Claimed ? "Hello," : Greeting(user))}

            {news}

            {options.CurrentValue.Site}
            """);
        outbox.Tell(email);
    }

    private static async Task<Email?> ToUserAsync(
        IServiceProvider services, string kind, string email, Func<User, Task<Email?>> compose, CancellationToken cancellationToken)
    {
        var user = await services.GetRequiredService<UserManager<User>>().FindByEmailAsync(email);
        if (user is not { DisabledAt: null })
        {
            return null;
        }

        // Nobody's mailbox is filled by others. Each kind by itself: who has one sent again and again must not keep the owner's reset from arriving.
        var limit = await services.GetRequiredService<IRateLimitStore>()
            .AcquireAsync(new RateLimitRequest(Limits.MailAccount, $"account:{user.NormalizedEmail}:{kind}"), cancellationToken);
        return limit.IsAllowed ? await compose(user) : null;
    }

    private string Link(string page, string token) => $"{options.CurrentValue.Site}/{page}?token={token}";
}
