using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Maintenance.Storage.OAuth;

/// <summary>
/// Encrypts what is kept with a key made of the state itself, the browser's nonce and the provider (HKDF-SHA256, AES-256-GCM). The store holds none
/// of the three, so a dump of it reveals nothing; and a wrong nonce or provider fails at the tag, which is compared in constant time.
/// Layout: version 1, nonce (12 bytes), tag (16 bytes), ciphertext.
/// </summary>
internal static class OAuthStateSeal
{
    private const byte Version = 1;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int HeadBytes = 1 + NonceBytes + TagBytes;

    public static byte[] Seal(OAuthStateContent content, string provider, string state, string browserNonce, int maxBytes)
    {
        var plain = JsonSerializer.SerializeToUtf8Bytes(content, OAuthStateJson.Default.OAuthStateContent);
        if (plain.Length > maxBytes)
        {
            throw new ArgumentException(
                $"The state takes {plain.Length} bytes; {OAuthStateOptions.Section}:{nameof(OAuthStateOptions.MaxBytes)} allows {maxBytes}.", nameof(content));
        }

        var sealedState = new byte[HeadBytes + plain.Length];
        sealedState[0] = Version;
        var nonce = sealedState.AsSpan(1, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(Key(provider, state, browserNonce), TagBytes);
        cipher.Encrypt(nonce, plain, sealedState.AsSpan(HeadBytes), sealedState.AsSpan(1 + NonceBytes, TagBytes), [Version]);
        CryptographicOperations.ZeroMemory(plain);
        return sealedState;
    }

    /// <summary>The content; null when anything does not fit.</summary>
    public static OAuthStateContent? Unseal(byte[] sealedState, string provider, string state, string browserNonce)
    {
        if (sealedState.Length < HeadBytes || sealedState[0] != Version)
        {
            return null;
        }

        var plain = new byte[sealedState.Length - HeadBytes];
        try
        {
            using var cipher = new AesGcm(Key(provider, state, browserNonce), TagBytes);
            cipher.Decrypt(sealedState.AsSpan(1, NonceBytes), sealedState.AsSpan(HeadBytes), sealedState.AsSpan(1 + NonceBytes, TagBytes), plain, [Version]);
            return JsonSerializer.Deserialize(plain, OAuthStateJson.Default.OAuthStateContent);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    private static byte[] Key(string provider, string state, string browserNonce) => HKDF.DeriveKey(
        HashAlgorithmName.SHA256,
        Encoding.ASCII.GetBytes(state),
        outputLength: 32,
        salt: Encoding.UTF8.GetBytes(browserNonce),
        info: Encoding.UTF8.GetBytes($"oauth-state/1/{provider}"));
}

/// <summary>What is encrypted. Short names: it is stored.</summary>
internal sealed record OAuthStateContent(
    [property: JsonPropertyName("v")] string? CodeVerifier,
    [property: JsonPropertyName("r")] string? ReturnUrl,
    [property: JsonPropertyName("i")] Dictionary<string, string?>? Items);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OAuthStateContent))]
internal sealed partial class OAuthStateJson : JsonSerializerContext;
