using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Maintenance.WebHost.ExternalSignIn.OpenId;

/// <summary>
/// A provider's public key (RFC 7517) for one algorithm: RS256 with at least 2,048 bits, or ES256 on P-256. Nothing else is read, so a token cannot
/// choose a weaker one; in particular a public key can never serve as a secret of HMAC.
/// </summary>
internal sealed class SigningKey
{
    private const int MinRsaBits = 2048;

    private readonly RSAParameters rsa;
    private readonly ECParameters ecdsa;

    private SigningKey(string? id, string algorithm, RSAParameters rsa, ECParameters ecdsa)
    {
        Id = id;
        Algorithm = algorithm;
        this.rsa = rsa;
        this.ecdsa = ecdsa;
    }

    public string? Id { get; }

    public string Algorithm { get; }

    /// <summary>Keys of a set that can be used; others (for encryption, of other algorithms, damaged) are passed over.</summary>
    public static IReadOnlyList<SigningKey> ReadSet(JsonElement set)
    {
        var keys = new List<SigningKey>();
        if (set.ValueKind == JsonValueKind.Object && set.TryGetProperty("keys", out var list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in list.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.Object && Read(item) is { } key)
                {
                    keys.Add(key);
                }
            }
        }

        return keys;
    }

    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        try
        {
            if (Algorithm == "RS256")
            {
                using var key = RSA.Create(rsa);
                return key.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            }

            using var curve = ECDsa.Create(ecdsa);
            return curve.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static SigningKey? Read(JsonElement key)
    {
        if (key.Text("use") is not (null or "sig"))
        {
            return null;
        }

        var (id, algorithm) = (key.Text("kid"), key.Text("alg"));
        try
        {
            switch (key.Text("kty"))
            {
                case "RSA" when algorithm is null or "RS256" && Bytes(key, "n") is { } modulus && Bytes(key, "e") is { } exponent:
                    var parameters = new RSAParameters { Modulus = modulus, Exponent = exponent };
                    using (var candidate = RSA.Create(parameters))
                    {
                        return candidate.KeySize >= MinRsaBits ? new SigningKey(id, "RS256", parameters, default) : null;
                    }

                case "EC" when algorithm is null or "ES256" && key.Text("crv") == "P-256" && Bytes(key, "x") is { Length: 32 } x && Bytes(key, "y") is { Length: 32 } y:
                    var point = new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } };
                    using (ECDsa.Create(point))
                    {
                        return new SigningKey(id, "ES256", default, point);
                    }

                default:
                    return null;
            }
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static byte[]? Bytes(JsonElement key, string name)
    {
        try
        {
            return key.Text(name) is { Length: > 0 } text ? Base64Url.DecodeFromChars(text) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
