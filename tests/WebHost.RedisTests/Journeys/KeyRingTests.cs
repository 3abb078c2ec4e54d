using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Maintenance.Testing;
using Maintenance.WebHost.TwoFactor;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.RedisTests.Journeys;

/// <summary>The ring of data-protection keys: one for all hosts, in the database, and the same after a restart.</summary>
[Collection(HostGroup.Name)]
public sealed class KeyRingTests(HostFixture fixture) : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("key-ring");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task HostsThatStartTogether_ShareOneKey_AndARestartKeepsIt()
    {
        var settings = await SettingsAsync();
        var database = settings["DATABASE_URL"]!;
        string sealedText, email, secret;
        var starting = Enumerable.Range(0, 3).Select(_ => Task.Run(() => HostInstance.StartAsync(settings))).ToList();
        var hosts = await Task.WhenAll(starting);
        try
        {
            sealedText = Protector(hosts[0]).Protect("text");
            foreach (var host in hosts)
            {
                Protector(host).Unprotect(sealedText).ShouldBe("text");
            }

            // What one host encrypts every other reads: enrolled here, confirmed there, asked for at the third.
            var (first, second, third) = (new AuthClient(hosts[0].Api), new AuthClient(hosts[1].Api), new AuthClient(hosts[2].Api));
            email = await first.RegisterAsync();
            var session = (await first.LoginAsync(email)).Session;
            secret = (await first.PostAsync("/api/auth/2fa/enrol", token: session)).Json.GetProperty("secret").GetString()!;
            (await second.PostAsync("/api/auth/2fa/confirm", new { code = Totp.Code(secret, TimeProvider.System.GetUtcNow()) }, session)).Status.ShouldBe(HttpStatusCode.OK);
            (await SignInAsync(third, email, secret)).Status.ShouldBe(HttpStatusCode.OK);
        }
        finally
        {
            foreach (var host in hosts)
            {
                await host.DisposeAsync();
            }
        }

        await using var after = await HostInstance.StartAsync(settings);
        Protector(after).Unprotect(sealedText).ShouldBe("text");
        (await Npgsql.NpgsqlDataSource.Create(database).CreateCommand("SELECT count(*) FROM data_protection_keys").ExecuteScalarAsync()).ShouldBe(1L);
        after.Logs.Entries.ShouldAllBe(entry => !entry.Message.Contains("ephemeral", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Ring_IsEncryptedByTheCertificate_AndAnotherOneTakesOver()
    {
        var settings = await SettingsAsync();
        var (old, fresh) = (Certificate("old"), Certificate("fresh"));
        string sealedText;
        await using (var host = await HostInstance.StartAsync(new(settings) { ["DataProtection:CertificateFile"] = old }))
        {
            sealedText = Protector(host).Protect("text");
            var stored = (string)(await Npgsql.NpgsqlDataSource.Create(settings["DATABASE_URL"]!).CreateCommand("SELECT string_agg(xml, '') FROM data_protection_keys").ExecuteScalarAsync())!;
            stored.ShouldContain("EncryptedData");
            stored.ShouldNotContain("<masterKey");
            host.Logs.Entries.ShouldAllBe(entry => !entry.Message.Contains("unencrypted", StringComparison.OrdinalIgnoreCase));
        }

        await using (var host = await HostInstance.StartAsync(new(settings) { ["DataProtection:CertificateFile"] = fresh, ["DataProtection:RetiredCertificateFiles:0"] = old }))
        {
            Protector(host).Unprotect(sealedText).ShouldBe("text");
        }

        await using var stranger = await HostInstance.StartAsync(new(settings) { ["DataProtection:CertificateFile"] = fresh });
        Should.Throw<CryptographicException>(() => Protector(stranger).Unprotect(sealedText));
    }

    [Fact]
    public async Task DatabaseAway_TheHostStartsAllTheSame_AndReadsTheRingWhenItIsBack()
    {
        await using var postgres = await PostgresServer.StartAsync();
        var database = await HostFixture.MigratedDatabaseAsync(postgres);
        var settings = new Dictionary<string, string?>(fixture.Settings) { ["DATABASE_URL"] = database.ConnectionString };
        string sealedText;
        await using (var host = await HostInstance.StartAsync(settings))
        {
            sealedText = Protector(host).Protect("text");
        }

        await postgres.StopAsync();
        await using var again = await HostInstance.StartAsync(settings);
        Should.Throw<Exception>(() => Protector(again).Unprotect(sealedText));
        await postgres.RestartAsync();

        await Eventually.TrueAsync(() => Task.FromResult(Protector(again).Unprotect(sealedText) == "text"), TimeSpan.FromSeconds(60));
    }

    private static IDataProtector Protector(HostInstance host) => host.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("test");

    private static async Task<Reply> SignInAsync(AuthClient client, string email, string secret)
    {
        var challengeId = (await client.TryLoginAsync(email)).Json.GetProperty("challengeId").GetString();
        // The code that confirmed is used up; the next step's is taken already.
        return await client.PostAsync("/api/auth/login/2fa", new { challengeId, code = Totp.Code(secret, TimeProvider.System.GetUtcNow().AddSeconds(Totp.StepSeconds)) });
    }

    private async Task<Dictionary<string, string?>> SettingsAsync() =>
        new(fixture.Settings) { ["DATABASE_URL"] = (await HostFixture.MigratedDatabaseAsync()).ConnectionString };

    private string Certificate(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var file = Path.Combine(folder.FullName, $"{name}.pem");
        File.WriteAllText(file, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        return file;
    }
}
