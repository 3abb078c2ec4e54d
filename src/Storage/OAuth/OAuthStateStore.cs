using Maintenance.Storage.Redis;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.OAuth;

/// <summary>What both stores do alike: secrets, sealing, checks. They only keep sealed bytes under an id and give them out once.</summary>
public abstract class OAuthStateStore : IOAuthStateStore
{
    /// <summary>In the place of a browser's nonce; no cookie that this library issues can hold it.</summary>
    internal const string HandlerNonce = "handler";

    private const int MaxProviderLength = 80;

    private readonly IOptionsMonitor<OAuthStateOptions> options;

    private protected OAuthStateStore(IOptionsMonitor<OAuthStateOptions> options) => this.options = options;

    /// <inheritdoc/>
    public async Task<IssuedOAuthState> CreateAsync(NewOAuthState state, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(state);
        var current = options.CurrentValue;
        if (!IsProvider(state.Provider))
        {
            throw new ArgumentException($"A provider's name is 1 to {MaxProviderLength} letters, digits, '-', '_', '.' and ':'.", nameof(state));
        }

        if (state.ReturnUrl is { } returnUrl && !current.IsReturnUrlAllowed(returnUrl))
        {
            // Not repeated: whoever sent it wants it to be read.
            throw new ArgumentException($"The return URL is not allowed ({nameof(OAuthStateOptions)}.{nameof(OAuthStateOptions.IsReturnUrlAllowed)}).", nameof(state));
        }

        var secret = OAuthStateSecret.Create();
        var nonce = state.BoundByHandler ? HandlerNonce : OAuthStateSecret.IsOne(state.BrowserNonce) ? state.BrowserNonce : OAuthStateSecret.Create();
        var content = new OAuthStateContent(
            state.CodeVerifier, state.ReturnUrl, state.Items is null ? null : new Dictionary<string, string?>(state.Items, StringComparer.Ordinal));
        var sealedState = OAuthStateSeal.Seal(content, state.Provider, secret, nonce, current.MaxBytes);
        await KeepAsync(OAuthStateSecret.Id(secret), sealedState, current.Life, cancellationToken).ConfigureAwait(false);
        return new IssuedOAuthState(secret, nonce, current.Life);
    }

    /// <inheritdoc/>
    public async Task<OAuthRedemption> RedeemAsync(string provider, string? state, string? browserNonce, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(provider);
        if (!OAuthStateSecret.IsOne(state))
        {
            return new OAuthRedemption(OAuthRedemptionOutcome.Malformed);
        }

        if (await TakeAsync(OAuthStateSecret.Id(state), cancellationToken).ConfigureAwait(false) is not { } sealedState)
        {
            return new OAuthRedemption(OAuthRedemptionOutcome.NotFound);
        }

        return IsProvider(provider)
            && IsNonce(browserNonce)
            && OAuthStateSeal.Unseal(sealedState, provider, state, browserNonce!) is { } content
            ? new OAuthRedemption(
                OAuthRedemptionOutcome.Redeemed,
                new RedeemedOAuthState(content.CodeVerifier, content.ReturnUrl, content.Items ?? []))
            : new OAuthRedemption(OAuthRedemptionOutcome.Mismatch);
    }

    /// <summary>Keeps bytes under an id that is not in use.</summary>
    /// <exception cref="StorageUnavailableException">Not kept.</exception>
    private protected abstract Task KeepAsync(string id, byte[] sealedState, TimeSpan life, CancellationToken cancellationToken);

    /// <summary>Takes the bytes out: one caller gets them, all others null.</summary>
    private protected abstract Task<byte[]?> TakeAsync(string id, CancellationToken cancellationToken);

    private static bool IsNonce(string? nonce) => nonce == HandlerNonce || OAuthStateSecret.IsOne(nonce);

    private static bool IsProvider(string provider) =>
        provider.Length is > 0 and <= MaxProviderLength && provider.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':');
}
