using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Maintenance.Deploy.ChartTests.Rendering;

namespace Maintenance.Deploy.ChartTests.Running;

/// <summary>An authority of one's own and what it signed, as PEM files.</summary>
internal sealed class Certificates : IDisposable
{
    private readonly X509Certificate2 authority;
    private readonly TemporaryFolder folder;
    private readonly DateTimeOffset now = TimeProvider.System.GetUtcNow();

    public Certificates(TemporaryFolder folder)
    {
        this.folder = folder;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=an authority of one's own", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        authority = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
        AuthorityFile = folder.Write("ca.crt", authority.ExportCertificatePem());
    }

    public string AuthorityFile { get; }

    /// <summary>Signs a name. An address of this machine goes with it only if asked for.</summary>
    public (string Certificate, string Key) Issue(string name, bool withLoopback = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        if (withLoopback)
        {
            names.AddIpAddress(IPAddress.Loopback);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        using var certificate = request.Create(authority, now.AddDays(-1), now.AddDays(1), RandomNumberGenerator.GetBytes(8));
        return (folder.Write($"{name}.crt", certificate.ExportCertificatePem()), folder.Write($"{name}.key", key.ExportPkcs8PrivateKeyPem()));
    }

    public void Dispose() => authority.Dispose();
}
