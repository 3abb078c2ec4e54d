namespace Maintenance.Storage.OAuth;

/// <summary>
/// What a log-in at another provider must remember between leaving and coming back: the PKCE verifier, where to go, and which browser it was.
/// </summary>
public interface IOAuthStateStore
{
    /// <summary>Keeps a state for <see cref="OAuthStateOptions.Life"/>.</summary>
    /// <exception cref="ArgumentException">The provider's name or the return URL is not allowed, or it is all too large.</exception>
    /// <exception cref="Redis.StorageUnavailableException">It could not be kept; nothing can come back with it.</exception>
    Task<IssuedOAuthState> CreateAsync(NewOAuthState state, CancellationToken cancellationToken);

    /// <summary>
    /// Takes a state out, once: of any number of callers one gets it. A state that is shown by another browser, or to another provider's callback,
    /// is used up as well, because somebody else has seen it.
    /// </summary>
    /// <param name="provider">The provider whose callback this is.</param>
    /// <param name="state">The parameter <c>state</c> of the callback.</param>
    /// <param name="browserNonce">What the browser's cookie holds; null when it sent none.</param>
    /// <param name="cancellationToken">Ends the wait; the state may be used up.</param>
    /// <exception cref="Redis.StorageUnavailableException">Not known: deny. The state may be used up.</exception>
    Task<OAuthRedemption> RedeemAsync(string provider, string? state, string? browserNonce, CancellationToken cancellationToken);
}

/// <summary>What to keep.</summary>
public sealed record NewOAuthState
{
    /// <summary>The provider: 1 to 80 letters, digits, <c>-</c>, <c>_</c>, <c>.</c> and <c>:</c>. Only its own callback redeems the state.</summary>
    public required string Provider { get; init; }

    /// <summary>PKCE verifier (RFC 7636).</summary>
    public string? CodeVerifier { get; init; }

    /// <summary>Where to go afterwards. Checked by <see cref="OAuthStateOptions.IsReturnUrlAllowed"/>.</summary>
    public string? ReturnUrl { get; init; }

    /// <summary>Anything else to have back.</summary>
    public IReadOnlyDictionary<string, string?>? Items { get; init; }

    /// <summary>
    /// The nonce that the browser holds already, so that two log-ins in two tabs can share one cookie. Null, or not a nonce that this library
    /// issued: a new one.
    /// </summary>
    public string? BrowserNonce { get; init; }

    /// <summary>ASP.NET Core's handler ties the state to the browser by a cookie of its own.</summary>
    internal bool BoundByHandler { get; init; }
}

/// <summary>A state that was kept.</summary>
/// <param name="State">The parameter <c>state</c> for the provider: 256 random bits in base64url, 43 characters. Stored nowhere.</param>
/// <param name="BrowserNonce">For a cookie of this browser (HttpOnly, Secure, SameSite=Lax), 43 characters. Stored nowhere else.</param>
/// <param name="Life">How long both are good for.</param>
public sealed record IssuedOAuthState(string State, string BrowserNonce, TimeSpan Life)
{
    /// <summary>Hides both secrets.</summary>
    public override string ToString() => $"(OAuth state, {Life})";
}

/// <summary>How a redemption ended.</summary>
public enum OAuthRedemptionOutcome
{
    /// <summary>The state is the caller's; nobody gets it again.</summary>
    Redeemed,

    /// <summary>Never issued, expired, or used already.</summary>
    NotFound,

    /// <summary>Another browser's or provider's, or damaged. It is used up.</summary>
    Mismatch,

    /// <summary>Not a state that this library can have issued.</summary>
    Malformed,
}

/// <summary>The answer to a redemption.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="State">What was kept; null unless redeemed.</param>
public sealed record OAuthRedemption(OAuthRedemptionOutcome Outcome, RedeemedOAuthState? State = null);

/// <summary>What was kept.</summary>
/// <param name="CodeVerifier">PKCE verifier.</param>
/// <param name="ReturnUrl">Where to go.</param>
/// <param name="Items">Anything else.</param>
public sealed record RedeemedOAuthState(string? CodeVerifier, string? ReturnUrl, IReadOnlyDictionary<string, string?> Items)
{
    /// <summary>Hides the verifier.</summary>
    public override string ToString() => $"(redeemed OAuth state, {Items.Count} items)";
}
