using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Maintenance.Testing;
using Maintenance.Worker.Alerting;
using Maintenance.Worker.Alerting.Webhooks;
using Maintenance.Worker.Lease;

namespace Maintenance.Worker.Tests.Alerting;

/// <summary>The webhook over real HTTP.</summary>
public sealed class WebhookSinkTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly AlertNotice Notice = new(
        Alert.Of("redis_memory", "node", "redis:6379", AlertSeverity.Critical, "redis:6379 uses <95 %> & grows", AlertRunbooks.MemoryHigh), AlertState.Firing, Start, Start.AddMinutes(5), Repeated: false);

    [Fact]
    public async Task Json_HoldsEverything_SignedAndWithTheToken()
    {
        await using var receiver = await HttpReceiver.StartAsync();
        using var sink = Sink(receiver, new WebhookOptions { BearerToken = "bearer-for-test", SigningSecret = "a-secret-of-the-test" });

        await sink.SendAsync([Notice, Notice with { State = AlertState.Resolved }], CancellationToken.None);

        var request = receiver.Requests.ShouldHaveSingleItem();
        request.Target.ShouldBe("/hook/secret-path?key=secret-key");
        request.Headers["Authorization"].ShouldBe("Bearer bearer-for-test");
        request.Headers["Content-Type"].ShouldBe("application/json");
        request.Headers[WebhookSink.SignatureHeader].ShouldBe(
            $"sha256={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes("a-secret-of-the-test"), Encoding.UTF8.GetBytes(request.Body)))}");
        var body = JsonDocument.Parse(request.Body).RootElement;
        body.GetProperty("replica").GetString().ShouldBe("replica-1");
        body.GetProperty("page").GetString().ShouldBe("https://status.example/");
        var alert = body.GetProperty("alerts")[0];
        alert.GetProperty("status").GetString().ShouldBe("firing");
        alert.GetProperty("identity").GetString().ShouldBe("""redis_memory{node="redis:6379"}""");
        alert.GetProperty("severity").GetString().ShouldBe("critical");
        alert.GetProperty("labels").GetProperty("node").GetString().ShouldBe("redis:6379");
        alert.GetProperty("summary").GetString().ShouldBe(Notice.Alert.Summary);
        alert.GetProperty("runbook_url").GetString().ShouldBe("https://docs.example/runbooks/memory-high.md");
        alert.GetProperty("since").GetDateTimeOffset().ShouldBe(Start);
        body.GetProperty("alerts")[1].GetProperty("status").GetString().ShouldBe("resolved");
    }

    [Fact]
    public async Task Slack_HasTextAndAttachments_AndNoMention()
    {
        await using var receiver = await HttpReceiver.StartAsync();
        using var sink = Sink(receiver, new WebhookOptions { Format = WebhookFormat.Slack });

        await sink.SendAsync([Notice], CancellationToken.None);

        var body = JsonDocument.Parse(receiver.Requests.ShouldHaveSingleItem().Body).RootElement;
        body.GetProperty("text").GetString().ShouldBe("Critical: redis_memory (redis:6379) - https://status.example/");
        var attachment = body.GetProperty("attachments")[0];
        attachment.GetProperty("text").GetString().ShouldBe("redis:6379 uses &lt;95 %&gt; &amp; grows\nRunbook: <https://docs.example/runbooks/memory-high.md>");
        attachment.GetProperty("color").GetString().ShouldBe("#ad2f2a");
        attachment.GetProperty("ts").GetInt64().ShouldBe(Start.AddMinutes(5).ToUnixTimeSeconds());
    }

    [Fact]
    public async Task WithoutAddresses_NothingLinksAnywhere()
    {
        await using var receiver = await HttpReceiver.StartAsync();
        using var json = Sink(receiver, new WebhookOptions(), new AlertLinks(null, null));
        using var slack = Sink(receiver, new WebhookOptions { Format = WebhookFormat.Slack }, new AlertLinks(null, null));

        await json.SendAsync([Notice], CancellationToken.None);
        await slack.SendAsync([Notice], CancellationToken.None);

        var alert = JsonDocument.Parse(receiver.Requests[0].Body).RootElement.GetProperty("alerts")[0];
        (alert.TryGetProperty("runbook_url", out _)).ShouldBeFalse();
        receiver.Requests[1].Body.ShouldNotContain("http");
        receiver.Requests[1].Body.ShouldNotContain("Runbook");
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task Answer_ThatMayChange_IsUnavailable_WithTheReceiversPatience(int status)
    {
        await using var receiver = await HttpReceiver.StartAsync();
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = "7";
            return Task.CompletedTask;
        };
        using var sink = Sink(receiver, new WebhookOptions());

        var exception = await Should.ThrowAsync<SinkUnavailableException>(() => sink.SendAsync([Notice], CancellationToken.None));

        exception.RetryAfter.ShouldBe(TimeSpan.FromSeconds(7));
        exception.Message.ShouldBe($"answered {status}");
    }

    [Theory]
    [InlineData(404)]
    [InlineData(403)]
    [InlineData(302)]
    [InlineData(307)]
    public async Task Answer_ThatWillNotChange_IsARefusal_AndARedirectIsNotFollowed(int status)
    {
        await using var elsewhere = await HttpReceiver.StartAsync();
        await using var receiver = await HttpReceiver.StartAsync();
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = elsewhere.Address.AbsoluteUri;
            return Task.CompletedTask;
        };
        using var sink = Sink(receiver, new WebhookOptions());

        (await Should.ThrowAsync<SinkRefusedException>(() => sink.SendAsync([Notice], CancellationToken.None))).Message.ShouldContain($"{status}");
        elsewhere.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Certificate_IsVerified()
    {
        await using var receiver = await HttpReceiver.StartAsync(tls: true);
        using var stranger = Sink(receiver, new WebhookOptions());
        var exception = await Should.ThrowAsync<HttpRequestException>(() => stranger.SendAsync([Notice], CancellationToken.None));
        SinkHttp.Describe(exception).ShouldStartWith("TLS: ");
        receiver.Requests.ShouldBeEmpty();

        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, receiver.CertificatePem);
            using var trusting = Sink(receiver, new WebhookOptions { CaFile = file });
            await trusting.SendAsync([Notice], CancellationToken.None);
            receiver.Requests.ShouldHaveSingleItem();
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Failure_NamesHostAndPort_NeverTheRestOfTheAddress()
    {
        var port = FreePort.Next();
        using var sink = new WebhookSink(
            "ops", new WebhookOptions { Url = $"http://127.0.0.1:{port}/hook/secret-path?key=secret-key" }, new AlertLinks(null, null), new ReplicaName("replica-1"), TimeProvider.System);

        var text = SinkHttp.Describe(await Should.ThrowAsync<HttpRequestException>(() => sink.SendAsync([Notice], CancellationToken.None)));

        text.ShouldStartWith("ConnectionError");
        text.ShouldNotContain("secret");
    }

    private static WebhookSink Sink(HttpReceiver receiver, WebhookOptions options, AlertLinks? links = null)
    {
        options.Url = $"{receiver.Address}hook/secret-path?key=secret-key";
        return new WebhookSink("ops", options, links ?? new AlertLinks(new Uri("https://status.example/"), new Uri("https://docs.example/runbooks/")), new ReplicaName("replica-1"), TimeProvider.System);
    }
}
