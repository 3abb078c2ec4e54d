namespace Maintenance.WebHost.ExternalSignIn;

/// <summary>Why a sign-in at another provider failed. The names, in snake case, are what clients see.</summary>
internal enum ExternalSignInError
{
    /// <summary>The user said no, or the provider did.</summary>
    AccessDenied,

    /// <summary>The callback does not belong to a sign-in that this browser began here.</summary>
    InvalidState,

    /// <summary>What the provider said cannot be believed.</summary>
    InvalidResponse,

    /// <summary>The provider does not answer, or answers with an error of its own.</summary>
    ProviderUnavailable,

    /// <summary>The provider has not verified the address; without that nobody gets an account.</summary>
    EmailNotVerified,

    /// <summary>There is an account with this address that has not verified it: it may be anybody's.</summary>
    AccountNotVerified,

    /// <summary>There is an account with this address; its owner must sign in and link the provider.</summary>
    LinkRequired,

    /// <summary>This identity is another account's.</summary>
    AlreadyLinked,

    /// <summary>No account, and this provider creates none.</summary>
    NoAccount,

    /// <summary>The account may not sign in.</summary>
    AccountDisabled,
}

/// <summary>A sign-in that ended without success. The message is for the log and holds no secret: no code, no token, no state.</summary>
internal sealed class ExternalSignInException(ExternalSignInError error, string message, Exception? inner = null) : Exception(message, inner)
{
    public ExternalSignInError Error { get; } = error;
}
