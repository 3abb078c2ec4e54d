using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.KeyRing;

/// <summary>What encrypts the ring of data-protection keys in the database. Bound from <c>DataProtection</c>; read once, at the start.</summary>
internal sealed class KeyRingOptions
{
    public const string Section = "DataProtection";

    /// <summary>PEM or PKCS #12 file of a certificate with an RSA key; the ring is encrypted with it. None: whoever reads the database reads the ring.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>PEM file of the certificate's private key, if <see cref="CertificateFile"/> is PEM and does not hold it.</summary>
    public string? CertificateKeyFile { get; set; }

    /// <summary>Password of the file or of the key.</summary>
    public string? CertificatePassword { get; set; }

    /// <summary>Files of certificates that were used before, with their keys in the same file and under the same password: what they encrypted is still read.</summary>
    public IList<string> RetiredCertificateFiles { get; } = [];

    /// <summary>Loads the certificates: first the current one, if there is one, then the retired ones.</summary>
    /// <exception cref="OptionsValidationException">A file cannot be used; the setting is named.</exception>
    public IReadOnlyList<X509Certificate2> Load()
    {
        if (string.IsNullOrEmpty(CertificateFile))
        {
            return RetiredCertificateFiles.Count == 0 && string.IsNullOrEmpty(CertificateKeyFile)
                ? []
                : throw Wrong("CertificateFile", "is not set, but other settings of certificates are");
        }

        return
        [
            Load(CertificateFile, CertificateKeyFile, "CertificateFile"),
            .. RetiredCertificateFiles.Select((file, i) => Load(file, keyFile: null, $"RetiredCertificateFiles:{i}")),
        ];
    }

    private X509Certificate2 Load(string file, string? keyFile, string setting)
    {
        X509Certificate2 certificate;
        try
        {
            certificate = X509Certificate2.GetCertContentType(file) == X509ContentType.Pkcs12
                ? X509CertificateLoader.LoadPkcs12FromFile(file, CertificatePassword)
                : string.IsNullOrEmpty(CertificatePassword)
                    ? X509Certificate2.CreateFromPemFile(file, string.IsNullOrEmpty(keyFile) ? null : keyFile)
                    : X509Certificate2.CreateFromEncryptedPemFile(file, CertificatePassword, string.IsNullOrEmpty(keyFile) ? null : keyFile);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw Wrong(setting, $"is '{file}'; it, or its key, cannot be read: {exception.GetType().Name}. Expected a PEM or PKCS #12 file with a certificate and its key (DataProtection:CertificateKeyFile, DataProtection:CertificatePassword)");
        }

        using var rsa = certificate.GetRSAPrivateKey();
        return rsa is not null ? certificate : throw Wrong(setting, $"is '{file}'; its key is none of RSA");
    }

    private static OptionsValidationException Wrong(string setting, string problem) =>
        new(Section, typeof(KeyRingOptions), [$"{Section}:{setting} {problem}."]);
}
