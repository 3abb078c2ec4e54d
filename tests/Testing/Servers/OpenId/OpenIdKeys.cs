using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Maintenance.Testing;

/// <summary>An RSA and an elliptic-curve key of a provider, and tokens signed with them, or badly signed on purpose.</summary>
public sealed class OpenIdKeys
{
    private readonly RSA rsa = RSA.Create(2048);
    private readonly ECDsa ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly string id = Convert.ToHexString(RandomNumberGenerator.GetBytes(4));

    /// <summary>The public keys as a JSON Web Key Set's list.</summary>
    public IReadOnlyList<Dictionary<string, string>> Published()
    {
        var r = rsa.ExportParameters(includePrivateParameters: false);
        var e = ecdsa.ExportParameters(includePrivateParameters: false);
        return
        [
            new() { ["kty"] = "RSA", ["use"] = "sig", ["kid"] = $"r{id}", ["alg"] = "RS256", ["n"] = Base64Url.EncodeToString(r.Modulus), ["e"] = Base64Url.EncodeToString(r.Exponent) },
            new() { ["kty"] = "EC", ["use"] = "sig", ["kid"] = $"e{id}", ["crv"] = "P-256", ["x"] = Base64Url.EncodeToString(e.Q.X), ["y"] = Base64Url.EncodeToString(e.Q.Y) },
            new() { ["kty"] = "OKP", ["use"] = "sig", ["kid"] = $"o{id}", ["crv"] = "Ed25519", ["x"] = "AAAA" },
        ];
    }

    /// <summary>A signed token.</summary>
    /// <param name="algorithm">RS256, ES256, HS256 (the public RSA key as the secret) or none.</param>
    /// <param name="claims">Its claims.</param>
    public string Sign(string algorithm, IReadOnlyDictionary<string, object?> claims)
    {
        var header = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["alg"] = algorithm,
            ["typ"] = "JWT",
            ["kid"] = algorithm == "ES256" ? $"e{id}" : $"r{id}",
        };
        var content = $"{Part(header)}.{Part(claims)}";
        var bytes = Encoding.ASCII.GetBytes(content);
        var signature = algorithm switch
        {
            "RS256" => rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            "ES256" => ecdsa.SignData(bytes, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
            "HS256" => HMACSHA256.HashData(rsa.ExportSubjectPublicKeyInfo(), bytes),
            _ => [],
        };
        return $"{content}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Part(object value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
}
