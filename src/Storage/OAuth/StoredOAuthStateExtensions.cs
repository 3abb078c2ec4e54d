using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OAuth;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.OAuth;

/// <summary>Keeps the state of ASP.NET Core's OAuth handlers in the store.</summary>
public static class StoredOAuthStateExtensions
{
    /// <summary>After <c>AddOAuth</c> (or a provider's own method): its state lives in the store, single use. Needs <c>AddAuthStorage</c>.</summary>
    /// <typeparam name="TOptions">The handler's options; <see cref="OAuthOptions"/> for <c>AddOAuth</c>.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="scheme">The scheme that was added.</param>
    public static AuthenticationBuilder AddStoredOAuthState<TOptions>(this AuthenticationBuilder builder, string scheme)
        where TOptions : OAuthOptions
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddOptions<TOptions>(scheme).Configure<IOAuthStateStore, IOptions<OAuthStateOptions>>((options, store, states) =>
            options.StateDataFormat = new OAuthStateDataFormat(store, scheme, states.Value.HandlerDeadline));
        return builder;
    }
}
