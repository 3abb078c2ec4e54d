using System.Text.Json;
using Maintenance.WebHost.Hosting;

namespace Maintenance.WebHost.ExternalSignIn;

/// <summary>What a client learns of a sign-in that failed.</summary>
internal static class ExternalProblems
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    public static string Code(ExternalSignInError error) => $"external_{JsonNamingPolicy.SnakeCaseLower.ConvertName(error.ToString())}";

    public static IResult Of(ExternalSignInError error, HttpResponse response)
    {
        var (status, detail) = error switch
        {
            ExternalSignInError.AccessDenied => (403, "The sign-in was refused at the provider."),
            ExternalSignInError.InvalidState => (400, "This sign-in was not begun in this browser, has taken too long, or was finished before. Begin again."),
            ExternalSignInError.InvalidResponse => (400, "What the provider answered cannot be accepted. Begin again."),
            ExternalSignInError.EmailNotVerified => (403, "The provider has not verified your e-mail address."),
            ExternalSignInError.AccountNotVerified => (409, "There is an account with this e-mail address, but it has not been verified. Its password may be a stranger's: choose a new one by forgot-password, then sign in again."),
            ExternalSignInError.LinkRequired => (409, "There is an account with this e-mail address. Sign in to it and link the provider there."),
            ExternalSignInError.AlreadyLinked => (409, "This identity belongs to another account."),
            ExternalSignInError.NoAccount => (403, "There is no account for this identity."),
            ExternalSignInError.AccountDisabled => (403, "This account may not sign in."),
            _ => (503, "The provider does not answer as it should. Try again later."),
        };
        return status == StatusCodes.Status503ServiceUnavailable
            ? Problems.Unavailable(response, detail, RetryAfter, Code(error))
            : Problems.Of(status, Code(error), detail);
    }
}
