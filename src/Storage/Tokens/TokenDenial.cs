namespace Maintenance.Storage.Tokens;

/// <summary>Why a token of any kind was not accepted.</summary>
public enum TokenDenial
{
    /// <summary>Not denied.</summary>
    None,

    /// <summary>Not a token that this library can have issued.</summary>
    Malformed,

    /// <summary>No such token: never issued, used, ended, expired or evicted.</summary>
    NotFound,

    /// <summary>It is there, but its user's generation has changed (log-out everywhere, password reset) or its index is gone.</summary>
    Revoked,

    /// <summary>The record cannot be trusted: of another type, torn, of another user, or of a format that this version does not read.</summary>
    Unreadable,
}

/// <summary>Reasons as the scripts spell them.</summary>
internal static class TokenDenials
{
    public static TokenDenial Parse(string? reason) => reason switch
    {
        "revoked" => TokenDenial.Revoked,
        "foreign" or "version" => TokenDenial.Unreadable,
        _ => TokenDenial.NotFound,
    };

    /// <summary>The denial as the label <c>result</c> of a look-up.</summary>
    public static string Result(this TokenDenial denial) => denial switch
    {
        TokenDenial.None => "hit",
        TokenDenial.NotFound => "miss",
        _ => "denied",
    };
}
