using System.Net;
using Maintenance.Storage.Redis;
using StackExchange.Redis;

namespace Maintenance.Storage.Tests.Redis;

public sealed class RedisConfigurationTests
{
    [Fact]
    public void Build_TakesAnyPasswordByProperty()
    {
        var configuration = RedisConfiguration.Build(new RedisOptions { Host = "h", Password = "a,b=c password=x,ssl=true" });

        configuration.Password.ShouldBe("a,b=c password=x,ssl=true");
        configuration.Ssl.ShouldBeFalse();
        configuration.EndPoints.ShouldHaveSingleItem().ShouldBe(new DnsEndPoint("h", 6379));
        configuration.AbortOnConnectFail.ShouldBeFalse();
    }

    [Fact]
    public void Build_ReadsTheUrl_AndFillsWhatItDoesNotNameFromTheSingleSettings()
    {
        var configuration = RedisConfiguration.Build(new RedisOptions { Url = "redis://[::1]:7000", Host = "other", Port = 1, Password = "p", Database = 4 });

        configuration.EndPoints.ShouldHaveSingleItem().ShouldBe(new IPEndPoint(IPAddress.IPv6Loopback, 7000));
        configuration.Password.ShouldBe("p");
        configuration.DefaultDatabase.ShouldBe(4);
    }

    [Fact]
    public void Build_LetsTheUrlWin()
    {
        var configuration = RedisConfiguration.Build(new RedisOptions { Url = "rediss://:url@h/5", Password = "p", Database = 4 });

        configuration.Password.ShouldBe("url");
        configuration.DefaultDatabase.ShouldBe(5);
        configuration.Ssl.ShouldBeTrue();
        configuration.SslHost.ShouldBe("h");
    }

    [Fact]
    public void Build_AddsNoTrafficOutsideTheKeyGrammar()
    {
        var configuration = RedisConfiguration.Build(new RedisOptions());

        configuration.TieBreaker.ShouldBeEmpty();
        configuration.ConfigurationChannel.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("redis://:secret@h:1/2", "h:1/2")]
    [InlineData("redis://[::1]:7000", "[::1]:7000/0")]
    public void Endpoint_IsWithoutCredentials(string url, string expected) =>
        RedisEndpoint.From(new RedisOptions { Url = url }).ToString().ShouldBe(expected);

    [Fact]
    public void Options_AreValidAsTheyComeByDefault() => new RedisOptionsValidator().Validate(null, new RedisOptions()).Succeeded.ShouldBeTrue();

    [Theory]
    [MemberData(nameof(WrongOptions))]
    public void Validate_NamesTheWrongSetting(RedisOptions options, string setting)
    {
        var result = new RedisOptionsValidator().Validate(null, options);

        result.Failed.ShouldBeTrue();
        result.FailureMessage.ShouldContain("Storage:Redis:" + setting);
    }

    public static TheoryData<RedisOptions, string> WrongOptions() => new()
    {
        { new RedisOptions { Host = "" }, "Host" },
        { new RedisOptions { Port = 0 }, "Port" },
        { new RedisOptions { Port = 65536 }, "Port" },
        { new RedisOptions { Database = -1 }, "Database" },
        { new RedisOptions { KeyPrefix = "a{b}" }, "KeyPrefix" },
        { new RedisOptions { KeyPrefix = "a b" }, "KeyPrefix" },
        { new RedisOptions { Deadline = TimeSpan.Zero }, "Deadline" },
        { new RedisOptions { Url = "redis://localhost", Sentinel = new() { Endpoints = ["localhost"] } }, "Url" },
        { new RedisOptions { Sentinel = new() { Endpoints = ["localhost", "redis://:secret@host"] } }, "Sentinel:Endpoints:1" },
        { new RedisOptions { Sentinel = new() { Endpoints = ["localhost"], ServiceName = "" } }, "Sentinel:ServiceName" },
        { new RedisOptions { Sentinel = new() { Endpoints = ["localhost"], PollInterval = TimeSpan.Zero } }, "Sentinel:PollInterval" },
        { new RedisOptions { Url = "redis://localhost", Cluster = new() { Endpoints = ["localhost"] } }, "Url" },
        { new RedisOptions { Database = 1, Cluster = new() { Endpoints = ["localhost"] } }, "Database" },
        { new RedisOptions { Cluster = new() { Endpoints = ["localhost", "redis://host:1"] } }, "Cluster:Endpoints:1" },
        { new RedisOptions { Cluster = new() { Endpoints = ["localhost"] }, Sentinel = new() { Endpoints = ["localhost"] } }, "Cluster:Endpoints" },
        { new RedisOptions { Deadline = TimeSpan.FromMinutes(2) }, "Deadline" },
        { new RedisOptions { ConnectTimeout = TimeSpan.Zero }, "ConnectTimeout" },
        { new RedisOptions { DeadlinesBeforeReconnect = 0 }, "DeadlinesBeforeReconnect" },
        { new RedisOptions { User = "worker" }, "User" },
        { new RedisOptions { Url = "redis://secret@localhost" }, "User" },
        { new RedisOptions { Deadline = TimeSpan.FromMicroseconds(500) }, "Deadline" },
        { new RedisOptions { ConnectTimeout = TimeSpan.FromMicroseconds(500) }, "ConnectTimeout" },
        { new RedisOptions { Tls = new RedisTlsOptions { Enabled = true, CaFile = "/does/not/exist.pem" } }, "Tls:CaFile" },
        { new RedisOptions { Tls = new RedisTlsOptions { Enabled = true, ClientCertificateFile = "/does/not/exist.pem" } }, "Tls:ClientCertificateFile" },
        { new RedisOptions { Tls = new RedisTlsOptions { Enabled = true, ClientKeyFile = "/does/not/exist.pem" } }, "Tls:ClientKeyFile" },
        { new RedisOptions { Tls = new RedisTlsOptions { CaFile = "/does/not/exist.pem" } }, "Tls names certificates, but TLS is off" },
        { new RedisOptions { Url = "redis://h", Tls = new RedisTlsOptions { CaFile = "/x.pem" } }, "Tls names certificates, but TLS is off" },
    };

    [Fact]
    public void Validate_NamesACertificateFileThatHoldsNone()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "not a certificate");
            var tls = new RedisTlsOptions { Enabled = true, CaFile = file, ClientCertificateFile = file };

            var result = new RedisOptionsValidator().Validate(null, new RedisOptions { Tls = tls });

            result.Failures.ShouldNotBeNull();
            result.Failures.ShouldContain(failure => failure.Contains("Tls:CaFile") && failure.Contains(file));
            result.Failures.ShouldContain(failure => failure.Contains("Tls:ClientCertificateFile"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Validate_NeverRepeatsWhatMayBeAPassword()
    {
        var failures = new RedisOptionsValidator().Validate(null, new RedisOptions { Url = "redis://hunter2@localhost" }).FailureMessage.ShouldNotBeNull();

        failures.ShouldContain("redis://:password@host");
        failures.ShouldNotContain("hunter2");
    }

    [Fact]
    public void Build_SendsTheUserAndSpeaksResp2()
    {
        var configuration = RedisConfiguration.Build(new RedisOptions { Url = "redis://worker:pass,word@localhost" });

        configuration.User.ShouldBe("worker");
        configuration.Password.ShouldBe("pass,word");
        configuration.Protocol.ShouldBe(RedisProtocol.Resp2);
        configuration.BacklogPolicy.ShouldBe(BacklogPolicy.FailFast);
    }

    [Fact]
    public void Validate_AsksNothingOfADisabledRedis() =>
        new RedisOptionsValidator().Validate(null, new RedisOptions { Enabled = false, Port = 0 }).Succeeded.ShouldBeTrue();
}
