using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Redis;

/// <summary>TLS with an authority of our own and a client certificate, against a redis-server that asks for one.</summary>
public sealed class TlsTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("maintenance-tls-").FullName;
    private RedisServer? server;
    private int tlsPort;

    public async Task InitializeAsync()
    {
        WriteCertificates();
        tlsPort = FreePort.Next();
        server = await RedisServer.StartAsync(new RedisServerOptions
        {
            ConfigurationLines =
            [
                $"tls-port {tlsPort}", $"tls-cert-file {PathOf("server.pem")}", $"tls-key-file {PathOf("server.key")}",
                $"tls-ca-cert-file {PathOf("ca.pem")}", "tls-auth-clients yes",
            ],
        });
    }

    public async Task DisposeAsync()
    {
        if (server is not null)
        {
            await server.DisposeAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("client.pem", "client.key")]
    [InlineData("client-both.pem", null)]
    public async Task Tls_WithCaFileAndClientCertificate_Works(string certificate, string? key)
    {
        var options = Options($"rediss://localhost:{tlsPort}", "ca.pem", certificate, key, StoreHarness.Patience);
        new RedisOptionsValidator().Validate(null, options).FailureMessage.ShouldBeNull();
        await using var harness = new StoreHarness(options);

        (await harness.ValidateAsync(await harness.LogInAsync("u"))).IsValid.ShouldBeTrue();
    }

    [Fact]
    public async Task Tls_ToAnAddress_ChecksTheNameThatIsSet()
    {
        var options = Options($"rediss://127.0.0.1:{tlsPort}", "ca.pem", "client.pem", "client.key", StoreHarness.Patience);
        options.Tls.ServerName = "localhost";
        await using var right = new StoreHarness(options);
        (await right.ValidateAsync(await right.LogInAsync("u"))).IsValid.ShouldBeTrue();

        var other = Options($"rediss://127.0.0.1:{tlsPort}", "ca.pem", "client.pem", "client.key");
        other.Tls.ServerName = "other.example.org";
        await using var wrong = new StoreHarness(other);
        (await Should.ThrowAsync<StorageUnavailableException>(() => wrong.LogInAsync("u"))).Reason.ShouldBe(UnavailableReason.Connection);
    }

    [Theory]
    [InlineData("other-ca.pem", "client.pem", "client.key")]
    [InlineData("ca.pem", null, null)]
    public async Task Tls_IsRefused_WithAnotherAuthority_OrWithoutTheClientsCertificate(string ca, string? certificate, string? key)
    {
        await using var harness = new StoreHarness(Options($"rediss://localhost:{tlsPort}", ca, certificate, key));

        (await Should.ThrowAsync<StorageUnavailableException>(() => harness.LogInAsync("u"))).Reason.ShouldBe(UnavailableReason.Connection);
    }

    private RedisOptions Options(string url, string ca, string? certificate, string? key, TimeSpan? patience = null) => new()
    {
        Url = url,
        Deadline = patience ?? TimeSpan.FromSeconds(10),
        ConnectTimeout = patience ?? TimeSpan.FromSeconds(3),
        Tls = new RedisTlsOptions
        {
            CaFile = PathOf(ca),
            ClientCertificateFile = certificate is null ? null : PathOf(certificate),
            ClientKeyFile = key is null ? null : PathOf(key),
        },
    };

    private string PathOf(string file) => Path.Combine(folder, file);

    private void WriteCertificates()
    {
        var now = TimeProvider.System.GetUtcNow();
        using var ca = Authority("CN=test authority", now);
        using var other = Authority("CN=another authority", now);
        File.WriteAllText(PathOf("ca.pem"), ca.ExportCertificatePem());
        File.WriteAllText(PathOf("other-ca.pem"), other.ExportCertificatePem());
        Issue("server", "localhost", ca, now);
        Issue("client", "client", ca, now);
        File.WriteAllText(PathOf("client-both.pem"), File.ReadAllText(PathOf("client.pem")) + "\n" + File.ReadAllText(PathOf("client.key")));
    }

    private static X509Certificate2 Authority(string name, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
    }

    private void Issue(string file, string name, X509Certificate2 ca, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        using var certificate = request.Create(ca, now.AddDays(-1), now.AddDays(1), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(PathOf($"{file}.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(PathOf($"{file}.key"), key.ExportPkcs8PrivateKeyPem());
    }
}
