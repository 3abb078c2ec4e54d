using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Scheduling;

public sealed class JobTraceTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    [Fact]
    public async Task EachRun_IsASpan_WithItsOutcome()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var worker = await WorkerProcess.StartAsync(
            redis.Server.Url,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.Endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "200"),
            ("Jobs__MemoryAlerts__Schedule", "00:00:01"),
            ("Jobs__MemoryAlerts__Jitter", "00:00:00"));

        await Eventually.TrueAsync(() => receiver.Spans.Any(span => span.Name == "job memory-alerts"), TimeSpan.FromSeconds(60));

        var run = receiver.Spans.First(span => span.Name == "job memory-alerts");
        run.Scope.ShouldBe(JobTrace.SourceName);
        run.Attributes["maintenance.outcome"].ShouldBe("success");
        run.Failed.ShouldBeFalse();
    }
}
