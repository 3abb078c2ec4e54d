using System.Text.Json;

namespace Maintenance.WebHost.ExternalSignIn.OpenId;

/// <summary>What a provider says of itself (OpenID Connect Discovery 1.0), or what the configuration says of a plain OAuth provider.</summary>
internal sealed record ProviderMetadata
{
    public string? Issuer { get; init; }

    public required Uri AuthorizationEndpoint { get; init; }

    public required Uri TokenEndpoint { get; init; }

    public Uri? UserInfoEndpoint { get; init; }

    public Uri? KeysUri { get; init; }

    /// <summary>Whether the client's secret goes into the body, because the provider takes no basic authentication.</summary>
    public bool SecretInBody { get; init; }

    /// <summary>Whether its callbacks name the issuer (RFC 9207).</summary>
    public bool NamesIssuer { get; init; }

    /// <summary>Of a plain OAuth provider; its settings were checked at start.</summary>
    public static ProviderMetadata Of(ExternalProviderOptions provider) => new()
    {
        AuthorizationEndpoint = new Uri(provider.AuthorizationEndpoint!),
        TokenEndpoint = new Uri(provider.TokenEndpoint!),
        UserInfoEndpoint = new Uri(provider.UserInfoEndpoint!),
        SecretInBody = true,
    };

    /// <summary>Reads a discovery document.</summary>
    /// <param name="authority">The issuer that was asked; the document must name the same one.</param>
    /// <param name="json">The document.</param>
    /// <exception cref="ExternalSignInException">It names another issuer, or an endpoint is missing or not secure.</exception>
    public static ProviderMetadata Read(string authority, JsonElement json)
    {
        var issuer = json.Text("issuer");
        if (issuer is null || issuer.TrimEnd('/') != authority.TrimEnd('/'))
        {
            throw new ExternalSignInException(ExternalSignInError.InvalidResponse, "The provider's metadata names another issuer than its authority.");
        }

        var methods = json.Texts("token_endpoint_auth_methods_supported");
        return new ProviderMetadata
        {
            Issuer = issuer,
            AuthorizationEndpoint = Endpoint(authority, json, "authorization_endpoint") ?? throw Missing("authorization_endpoint"),
            TokenEndpoint = Endpoint(authority, json, "token_endpoint") ?? throw Missing("token_endpoint"),
            UserInfoEndpoint = Endpoint(authority, json, "userinfo_endpoint"),
            KeysUri = Endpoint(authority, json, "jwks_uri") ?? throw Missing("jwks_uri"),
            SecretInBody = methods.Count > 0 && !methods.Contains("client_secret_basic") && methods.Contains("client_secret_post"),
            NamesIssuer = json.IsTrue("authorization_response_iss_parameter_supported"),
        };
    }

    // Loopback is this machine: a provider elsewhere that names it would have the client's secret sent to a port of ours.
    private static Uri? Endpoint(string authority, JsonElement json, string name) =>
        json.Text(name) is not { } url ? null
        : !ExternalSignInOptionsValidator.IsSecure(url) ? throw new ExternalSignInException(ExternalSignInError.InvalidResponse, $"The provider's {name} is no https URL.")
        : new Uri(url) is { IsLoopback: true } && !new Uri(authority).IsLoopback ? throw new ExternalSignInException(ExternalSignInError.InvalidResponse, $"The provider's {name} is on this machine, and the provider is not.")
        : new Uri(url);

    private static ExternalSignInException Missing(string name) =>
        new(ExternalSignInError.InvalidResponse, $"The provider's metadata has no {name}.");
}
