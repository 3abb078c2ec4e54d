using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Maintenance.WebHost.ExternalSignIn.OpenId;

/// <summary>What a sign-in must remember while the browser is at the provider.</summary>
/// <param name="CodeVerifier">PKCE verifier (RFC 7636), 256 random bits.</param>
/// <param name="Nonce">Ties the id token to this sign-in, 256 random bits.</param>
internal sealed record SignInSecrets(string CodeVerifier, string Nonce)
{
    public static SignInSecrets Create() => new(Random(), Random());

    /// <summary>Hides both.</summary>
    public override string ToString() => "(sign-in secrets)";

    private static string Random()
    {
        Span<byte> bytes = stackalloc byte[32];
        RandomNumberGenerator.Fill(bytes);
        return Base64Url.EncodeToString(bytes);
    }
}

/// <summary>The authorization code flow with PKCE: where to send the browser, and who came back.</summary>
internal sealed class ProviderClient(ProviderDirectory directory, ProviderHttp http, IdTokenValidator validator)
{
    /// <summary>Where the browser goes.</summary>
    /// <exception cref="ExternalSignInException">The provider's metadata cannot be had.</exception>
    public async Task<Uri> AuthorizationUrlAsync(
        ExternalProviderOptions provider, string redirectUri, string state, SignInSecrets secrets, CancellationToken cancellationToken)
    {
        var metadata = await directory.MetadataAsync(provider, cancellationToken);
        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(secrets.CodeVerifier)));
        var parameters = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["response_type"] = "code",
            ["client_id"] = provider.ClientId,
            ["redirect_uri"] = redirectUri,
            ["scope"] = provider.EffectiveScopes.Count > 0 ? string.Join(' ', provider.EffectiveScopes) : null,
            ["state"] = state,
            ["code_challenge"] = challenge,
            ["code_challenge_method"] = "S256",
            ["nonce"] = provider.IsOpenId ? secrets.Nonce : null,
        };
        return new Uri(Microsoft.AspNetCore.WebUtilities.QueryHelpers.AddQueryString(metadata.AuthorizationEndpoint.AbsoluteUri, parameters));
    }

    /// <summary>Whether the issuer that a callback names is the provider's (RFC 9207): a code of another provider must not be sent to this one.</summary>
    public async Task<bool> IsIssuerAsync(ExternalProviderOptions provider, string? issuer, CancellationToken cancellationToken)
    {
        var metadata = await directory.MetadataAsync(provider, cancellationToken);
        return issuer is null ? !metadata.NamesIssuer : metadata.Issuer is null || metadata.Issuer == issuer;
    }

    /// <summary>Exchanges the code, checks the id token, and asks for what it does not say.</summary>
    /// <exception cref="ExternalSignInException">The provider refuses, is away, or cannot be believed.</exception>
    public async Task<ExternalIdentity> IdentifyAsync(
        string name, ExternalProviderOptions provider, string code, string redirectUri, SignInSecrets secrets, CancellationToken cancellationToken)
    {
        var metadata = await directory.MetadataAsync(provider, cancellationToken);
        var tokens = await ExchangeAsync(provider, metadata, code, redirectUri, secrets, cancellationToken);
        var accessToken = string.Equals(tokens.Text("token_type"), "Bearer", StringComparison.OrdinalIgnoreCase) ? tokens.Text("access_token") : null;
        if (!provider.IsOpenId)
        {
            var described = await http.GetAsync(
                metadata.UserInfoEndpoint!,
                accessToken ?? throw new ExternalSignInException(ExternalSignInError.InvalidResponse, "The provider gave no bearer token."),
                cancellationToken);
            return Identity(name, provider, described, provider.SubjectField);
        }

        var expected = new ExpectedIdToken(metadata.Issuer!, provider.ClientId, secrets.Nonce, accessToken);
        var claims = await validator.ValidateAsync(provider, tokens.Text("id_token"), expected, cancellationToken);
        var identity = Identity(name, provider, claims, "sub");
        if (identity.Email is not null || accessToken is null || metadata.UserInfoEndpoint is null)
        {
            return identity;
        }

        var info = await http.GetAsync(metadata.UserInfoEndpoint, accessToken, cancellationToken);
        // 5.3.2: an answer about somebody else must not be used.
        return info.Text("sub") == identity.Subject
            ? Identity(name, provider, info, "sub")
            : throw new ExternalSignInException(ExternalSignInError.InvalidResponse, "The provider's user info is about another user than its id token.");
    }

    private static ExternalIdentity Identity(string name, ExternalProviderOptions provider, JsonElement json, string subjectField) =>
        json.TextOrNumber(subjectField) is { } subject && ExternalIdentity.IsSubject(subject)
            ? new ExternalIdentity(name, subject, json.Text(provider.EmailField), json.IsTrue(provider.EmailVerifiedField), json.Text(provider.NameField)).Bounded()
            : throw new ExternalSignInException(ExternalSignInError.InvalidResponse, $"The provider's answer has no '{subjectField}'.");

    private async Task<JsonElement> ExchangeAsync(
        ExternalProviderOptions provider, ProviderMetadata metadata, string code, string redirectUri, SignInSecrets secrets, CancellationToken cancellationToken)
    {
        var form = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = "authorization_code",
            ["code"] = code,
            ["redirect_uri"] = redirectUri,
            ["client_id"] = provider.ClientId,
            ["code_verifier"] = secrets.CodeVerifier,
        };
        var request = new HttpRequestMessage(HttpMethod.Post, metadata.TokenEndpoint);
        if (provider.ClientSecret is { Length: > 0 } secret)
        {
            if (metadata.SecretInBody)
            {
                form["client_secret"] = secret;
            }
            else
            {
                // RFC 6749, 2.3.1: both are form-encoded first.
                var pair = $"{Uri.EscapeDataString(provider.ClientId)}:{Uri.EscapeDataString(secret)}";
                request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
            }
        }

        request.Content = new FormUrlEncodedContent(form);
        var answer = await http.SendAsync(request, cancellationToken);
        // The provider's own words are not repeated: they may hold what it was sent.
        return answer.Text("error") switch
        {
            null => answer,
            "invalid_grant" => throw new ExternalSignInException(ExternalSignInError.InvalidResponse, "The provider does not accept the code."),
            "invalid_client" or "unauthorized_client" => throw new ExternalSignInException(
                ExternalSignInError.ProviderUnavailable, "The provider does not accept this client; check ClientId and ClientSecret."),
            _ => throw new ExternalSignInException(ExternalSignInError.ProviderUnavailable, "The provider refuses the exchange of the code."),
        };
    }
}
