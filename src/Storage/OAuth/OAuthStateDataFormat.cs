using Maintenance.Storage.Redis;
using Microsoft.AspNetCore.Authentication;

namespace Maintenance.Storage.OAuth;

/// <summary>
/// Lets ASP.NET Core's OAuth and OpenID Connect handlers keep their state here instead of sending it, encrypted, through the browser:
/// <c>options.StateDataFormat = new OAuthStateDataFormat(store, "GitHub")</c>, or <c>AddStoredOAuthState</c>. The handler ties a state to its browser by a
/// correlation cookie, which it checks after <see cref="Unprotect(string)"/>; single use, and the verifier and return URL on the server, come from the store.
/// </summary>
/// <remarks>
/// The framework's interface is synchronous, so each call blocks its thread while the store answers: twice a log-in, normally well under a millisecond,
/// at most the store's own deadline (250 ms by default) and never longer than <see cref="OAuthStateOptions.HandlerDeadline"/>.
/// </remarks>
public sealed class OAuthStateDataFormat : ISecureDataFormat<AuthenticationProperties>
{
    private readonly IOAuthStateStore store;
    private readonly string provider;
    private readonly TimeSpan deadline;
    private readonly TimeProvider timeProvider;

    /// <summary>Creates the format of a scheme.</summary>
    /// <param name="store">Keeps the states.</param>
    /// <param name="scheme">The authentication scheme; a state of one is not accepted by another.</param>
    /// <param name="deadline">Longest time to block; default 2 s.</param>
    /// <param name="timeProvider">Clock of the deadline.</param>
    public OAuthStateDataFormat(IOAuthStateStore store, string scheme, TimeSpan? deadline = null, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentException.ThrowIfNullOrEmpty(scheme);
        this.store = store;
        this.deadline = deadline ?? new OAuthStateOptions().HandlerDeadline;
        this.timeProvider = timeProvider ?? TimeProvider.System;
        provider = $"handler:{scheme}";
    }

    /// <summary>Keeps the properties and returns the state that stands for them.</summary>
    /// <exception cref="StorageUnavailableException">They could not be kept; the challenge fails.</exception>
    /// <exception cref="ArgumentException">The redirect URI is not allowed.</exception>
    public string Protect(AuthenticationProperties data) => Protect(data, null);

    /// <inheritdoc cref="Protect(AuthenticationProperties)"/>
    public string Protect(AuthenticationProperties data, string? purpose)
    {
        ArgumentNullException.ThrowIfNull(data);
        var state = new NewOAuthState
        {
            Provider = Provider(purpose),
            ReturnUrl = data.RedirectUri,
            Items = data.Items.AsReadOnly(),
            BoundByHandler = true,
        };
        return Wait(store.CreateAsync(state, CancellationToken.None)).State;
    }

    /// <summary>Takes the properties out, once; null when there are none for this state.</summary>
    /// <exception cref="StorageUnavailableException">Not known; the handler reports a failed log-in.</exception>
    public AuthenticationProperties? Unprotect(string? protectedText) => Unprotect(protectedText, null);

    /// <inheritdoc cref="Unprotect(string)"/>
    public AuthenticationProperties? Unprotect(string? protectedText, string? purpose)
    {
        var redemption = Wait(store.RedeemAsync(Provider(purpose), protectedText, OAuthStateStore.HandlerNonce, CancellationToken.None));
        return redemption.State is { } state ? new AuthenticationProperties(new Dictionary<string, string?>(state.Items, StringComparer.Ordinal)) : null;
    }

    private string Provider(string? purpose) => string.IsNullOrEmpty(purpose) ? provider : $"{provider}:{OpaqueId.Of(purpose, 4096)}";

    private T Wait<T>(Task<T> pending)
    {
        try
        {
            return pending.WaitAsync(deadline, timeProvider).GetAwaiter().GetResult();
        }
        catch (TimeoutException exception)
        {
            throw new StorageUnavailableException(UnavailableReason.Deadline, $"The store of OAuth states did not answer within {deadline.TotalMilliseconds:0} ms.", exception);
        }
    }
}
