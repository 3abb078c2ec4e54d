using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.ExternalSignIn.OpenId;

/// <summary>What a token must fit to.</summary>
/// <param name="Issuer">Exactly this issuer.</param>
/// <param name="ClientId">Made for this client.</param>
/// <param name="Nonce">Made for this sign-in.</param>
/// <param name="AccessToken">Came with this access token; null: there was none.</param>
internal sealed record ExpectedIdToken(string Issuer, string ClientId, string Nonce, string? AccessToken);

/// <summary>
/// Checks id tokens (OpenID Connect Core 1.0, 3.1.3.7; RFC 8725): only RS256 and ES256, the key by the provider's set, then issuer, audience, times
/// and nonce. Nothing of a token is used before its signature fits.
/// </summary>
internal sealed class IdTokenValidator(ProviderDirectory directory, IOptionsMonitor<ExternalSignInOptions> options, TimeProvider time)
{
    private const int MaxTokenLength = 16 * 1024;
    private static readonly TimeSpan MostAge = TimeSpan.FromHours(24);

    /// <summary>The claims of a valid token.</summary>
    /// <exception cref="ExternalSignInException">It is not valid; the message says why and repeats nothing of it.</exception>
    public async Task<JsonElement> ValidateAsync(
        ExternalProviderOptions provider, string? token, ExpectedIdToken expected, CancellationToken cancellationToken)
    {
        if (token is not { Length: > 0 and <= MaxTokenLength } || token.Split('.') is not [var head, var body, var signature])
        {
            throw Invalid("is missing, too long, or not of three parts");
        }

        if (Part(head) is not { } headBytes || ProviderJson.ReadObject(headBytes) is not { } header || Part(body) is not { } bodyBytes || Part(signature) is not { } signatureBytes)
        {
            throw Invalid("cannot be read");
        }

        if (header.Text("alg") is not ("RS256" or "ES256") || header.TryGetProperty("crit", out _))
        {
            throw Invalid("is not signed by RS256 or ES256, or demands an extension");
        }

        var algorithm = header.Text("alg")!;
        var key = await directory.KeyAsync(provider, header.Text("kid"), algorithm, cancellationToken)
            ?? throw Invalid("is signed by a key that the provider does not publish");
        if (!key.Verify(Encoding.ASCII.GetBytes($"{head}.{body}"), signatureBytes))
        {
            throw Invalid("has a signature that does not fit");
        }

        var claims = ProviderJson.ReadObject(bodyBytes) ?? throw Invalid("holds no claims");
        Check(claims, expected);
        return claims;
    }

    private void Check(JsonElement claims, ExpectedIdToken expected)
    {
        if (claims.Text("iss") != expected.Issuer)
        {
            throw Invalid("is another issuer's");
        }

        var audience = claims.Texts("aud");
        var party = claims.Text("azp");
        if (!audience.Contains(expected.ClientId, StringComparer.Ordinal)
            || (party is null ? audience.Count > 1 : party != expected.ClientId))
        {
            throw Invalid("is for another client");
        }

        var (now, skew) = (time.GetUtcNow(), options.CurrentValue.ClockSkew);
        if (claims.Time("exp") is not { } expires || expires + skew <= now)
        {
            throw Invalid("has expired, or does not say when it does");
        }

        if (claims.Time("iat") is not { } issued || issued - skew > now || issued < now - MostAge - skew)
        {
            throw Invalid("was issued in the future, too long ago, or does not say when");
        }

        if (claims.TryGetProperty("nbf", out _) && (claims.Time("nbf") is not { } notBefore || notBefore - skew > now))
        {
            throw Invalid("is not valid yet");
        }

        if (!FixedTimeEquals(claims.Text("nonce"), expected.Nonce))
        {
            throw Invalid("was not made for this sign-in");
        }

        if (expected.AccessToken is { } accessToken
            && claims.TryGetProperty("at_hash", out _)
            && !FixedTimeEquals(claims.Text("at_hash"), Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)).AsSpan(0, 16))))
        {
            throw Invalid("came with another access token");
        }

        if (!ExternalIdentity.IsSubject(claims.Text("sub")))
        {
            throw Invalid("names no user");
        }
    }

    private static bool FixedTimeEquals(string? given, string expected) =>
        given is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes(expected));

    private static byte[]? Part(string text)
    {
        try
        {
            return text.Contains('=', StringComparison.Ordinal) ? null : Base64Url.DecodeFromChars(text);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static ExternalSignInException Invalid(string why) => new(ExternalSignInError.InvalidResponse, $"The id token {why}.");
}
