using System.Diagnostics;
using System.Net.Sockets;
using Maintenance.Storage;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Maintenance.Tracing.Tests;

/// <summary>Spans on their way to a collector that is real as far as the wire goes.</summary>
public sealed class TraceExportTests
{
    private const string Source = "Maintenance.Tracing.Tests";
    private static readonly ActivitySource Spans = new(Source);

    [Fact]
    public async Task Spans_OfStores_NameStoreAndOperation_AndHoldNoKeyUserOrToken()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        using var host = await StartAsync(receiver.Endpoint, new() { ["REDIS_ENABLED"] = "false" });
        var sessions = host.Services.GetRequiredService<ISessionStore>();
        string token;
        using (Spans.StartActivity("request"))
        {
            token = (await sessions.CreateAsync(new NewSession { UserId = "user-4711" }, CancellationToken.None)).Token.Value;
            (await sessions.ValidateAsync(token, CancellationToken.None)).IsValid.ShouldBeTrue();
        }

        await host.StopAsync();

        var request = await ReceivedAsync(receiver, "request");
        var validate = await ReceivedAsync(receiver, "sessions validate");
        validate.Scope.ShouldBe(StorageTrace.SourceName);
        (validate.TraceId, validate.ParentId).ShouldBe((request.TraceId, request.SpanId));
        validate.Attributes["authstore.store"].ShouldBe("sessions");
        validate.Failed.ShouldBeFalse();
        await ReceivedAsync(receiver, "sessions create");
        receiver.Text.ShouldNotContain("user-4711");
        receiver.Text.ShouldNotContain(token);
        receiver.Text.ShouldNotContain(token.Split('.')[0]);
    }

    // The host would end with an unhandled exception otherwise.
    [Fact]
    public async Task Stop_IsNoError_WhenTheShutdownHasNoTimeLeft()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        using var host = await StartAsync(receiver.Endpoint, new() { ["REDIS_ENABLED"] = "false" });
        var export = host.Services.GetServices<IHostedService>().Single(service => service.GetType().Name == "TraceExport");

        await export.StopAsync(new CancellationToken(canceled: true));
    }

    [Fact]
    public async Task Spans_OfFailures_SayWhichKind_AndNothingElse()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        using var host = await StartAsync(receiver.Endpoint, new() { ["REDIS_URL"] = $"redis://127.0.0.1:{FreePort.Next()}" });
        await Should.ThrowAsync<StorageUnavailableException>(
            host.Services.GetRequiredService<ISessionStore>().CountAsync("user-4711", CancellationToken.None));
        await host.StopAsync();

        var count = await ReceivedAsync(receiver, "sessions count");
        count.Failed.ShouldBeTrue();
        count.Attributes["error.type"].ShouldNotBeNullOrEmpty();
        receiver.Text.ShouldNotContain("user-4711");
    }

    [Fact]
    public async Task Spans_LoseQueriesAndTextsOfExceptions()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        using var host = await StartAsync(receiver.Endpoint);
        using (var span = Spans.StartActivity("callback"))
        {
            span!.SetTag("url.path", "/callback").SetTag("url.query", "?code=the-secret").SetTag("exception.message", "the-secret");
            span.SetStatus(ActivityStatusCode.Error, "the-secret");
        }

        using (var span = Spans.StartActivity("failed"))
        {
            span!.AddException(new InvalidOperationException("the-secret"));
        }

        await host.StopAsync();

        await ReceivedAsync(receiver, "callback");
        var callback = receiver.Spans.Single();
        callback.Attributes["url.path"].ShouldBe("/callback");
        callback.Failed.ShouldBeTrue();
        receiver.Text.ShouldNotContain("the-secret");
    }

    [Fact]
    public async Task Export_IsOff_AndMakesNoSpan_WithoutAnEndpoint()
    {
        using var host = await StartAsync(endpoint: null);

        Spans.StartActivity("request").ShouldBeNull();
        host.Services.GetServices<IHostedService>().ShouldNotContain(service => service.GetType().Namespace == "Maintenance.Tracing");
    }

    [Fact]
    public async Task Host_RunsAndEnds_WhileTheCollectorIsAway()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        // It takes connections and never answers.
        using var host = await StartAsync($"http://{listener.LocalEndpoint}");
        Spans.StartActivity("request")!.Dispose();

        await host.StopAsync().WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")]
    public void Endpoint_IsNamed_WhenItIsWrong(string setting)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(setting, "collector:4317")]).Build();

        Should.Throw<InvalidOperationException>(() => new ServiceCollection().AddTraceExport(configuration, "test")).Message.ShouldContain(setting);
    }

    // The end of a host sends what has gathered and waits 3 s for the collector; what a busy machine does not take until then is on its way all the same.
    private static async Task<ReceivedSpan> ReceivedAsync(OtlpReceiver receiver, string name)
    {
        await Eventually.TrueAsync(() => receiver.Spans.Any(span => span.Name == name));
        return receiver.Spans.Single(span => span.Name == name);
    }

    private static async Task<IHost> StartAsync(string? endpoint, Dictionary<string, string?>? settings = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        // Nothing is sent before the host's end, and nothing is given up because a machine stands still.
        builder.Configuration.AddInMemoryCollection(
        [
            new("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
            new("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            new("OTEL_EXPORTER_OTLP_TIMEOUT", "120000"),
            new("OTEL_BSP_SCHEDULE_DELAY", "600000"),
        ]);
        builder.Services.AddTraceExport(builder.Configuration, "test", Source, StorageTrace.SourceName);
        if (settings is not null)
        {
            builder.Services.AddAuthStorage(builder.Configuration);
        }

        var host = builder.Build();
        await host.StartAsync();
        return host;
    }
}
