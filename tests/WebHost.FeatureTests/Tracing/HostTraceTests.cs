using Maintenance.Testing;

namespace Maintenance.WebHost.FeatureTests.Tracing;

[Collection(FeatureCollection.Name)]
public sealed class HostTraceTests(FeatureHost host)
{
    [Fact]
    public async Task Request_IsASpan_WithItsStoresBelow_AndNoSecretInIt()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var settings = host.Settings.ToDictionary(setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value);
        var port = FreePort.Next();
        settings["Api__Port"] = $"{port}";
        settings["Management__Port"] = $"{FreePort.Next()}";
        // A machine that stands still must not cut the end off.
        settings["Api__ShutdownTimeout"] = "00:00:45";
        settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Endpoint;
        settings["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        settings["OTEL_EXPORTER_OTLP_TIMEOUT"] = "120000";
        var user = await host.AccountAsync();
        var token = (await host.SignedInAsync(user)).Token!;
        await using (var program = ChildProcess.StartOurs("WebHost", [], settings))
        {
            var client = new ApiClient(new Uri($"http://127.0.0.1:{port}")) { Token = token };
            await Eventually.TrueAsync(async () => (await client.GetAsync("/api/auth/verify")).Status == 200, TimeSpan.FromMinutes(2));
            await client.GetAsync("/api/auth/external/acme/callback?code=secret-code&state=secret-state");
            // While the host lives, whose end waits only seconds for the collector. A request's own span ends after the answer, and after those below it.
            await Eventually.TrueAsync(() => IsWhole("sessions validate") && IsWhole("oauth_states redeem"), TimeSpan.FromMinutes(2));
            await program.SignalAsync(Signal.Terminate);
            (await program.WaitForExitAsync(TimeSpan.FromMinutes(2))).ShouldBe(0, program.Tail());
        }

        var validate = receiver.Spans.First(span => span.Name == "sessions validate");
        var request = receiver.Spans.Single(span => span.SpanId == validate.ParentId);
        (request.Scope, request.TraceId).ShouldBe(("Microsoft.AspNetCore", validate.TraceId));
        foreach (var secret in (string[])["secret-code", "secret-state", token, user.Email, FeatureHost.RedisPassword])
        {
            receiver.Text.ShouldNotContain(secret);
        }

        bool IsWhole(string name) => receiver.Spans is var spans && spans.FirstOrDefault(span => span.Name == name) is { } below && spans.Any(span => span.SpanId == below.ParentId);
    }
}
