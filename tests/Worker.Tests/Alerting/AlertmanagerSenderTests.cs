using System.Text;
using System.Text.Json;
using Maintenance.Testing;
using Maintenance.Worker.Alerting;
using Maintenance.Worker.Alerting.Alertmanager;
using Maintenance.Worker.Lease;
using Maintenance.Worker.Scheduling;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Tests.Alerting;

/// <summary>What is posted to Alertmanager over real HTTP, and how it is tried again.</summary>
public sealed class AlertmanagerSenderTests : IAsyncLifetime
{
    private readonly TestMeterFactory meters = new();
    private readonly LogCollector log = new();
    private readonly ManualTimeProvider time = new();
    private readonly AlertingOptions options = new() { RetryDelay = TimeSpan.FromSeconds(5) };
    private readonly AlertCenter center;
    private HttpReceiver receiver = null!;

    public AlertmanagerSenderTests() =>
        center = new AlertCenter([new JobFailedRule()], new FixedOptions<AlertingOptions>(options), new ReplicaName("a"));

    public async Task InitializeAsync()
    {
        receiver = await HttpReceiver.StartAsync();
        options.Alertmanager.Urls.Add(receiver.Address.AbsoluteUri);
    }

    public async Task DisposeAsync()
    {
        await receiver.DisposeAsync();
        meters.Dispose();
        log.Dispose();
    }

    [Theory]
    [InlineData(null, null, null, null)]
    [InlineData("a-bearer", null, null, "Bearer a-bearer")]
    [InlineData(null, "user", "pass:wörd", "Basic user:pass:wörd")]
    public async Task Post_CarriesTheCredentialsOfItsSettings(string? bearer, string? user, string? password, string? expected)
    {
        options.Alertmanager.BearerToken = bearer ?? "";
        options.Alertmanager.User = user ?? "";
        options.Alertmanager.Password = password ?? "";
        Fail();

        await using var sender = await StartAsync();
        await Eventually.TrueAsync(() => receiver.Requests.Count == 1);

        var request = receiver.Requests[0];
        request.Target.ShouldBe("/api/v2/alerts");
        var given = request.Headers.GetValueOrDefault("Authorization");
        (given?.StartsWith("Basic ", StringComparison.Ordinal) == true ? $"Basic {Encoding.UTF8.GetString(Convert.FromBase64String(given[6..]))}" : given).ShouldBe(expected);
        JsonDocument.Parse(request.Body).RootElement[0].GetProperty("labels").GetProperty("alertname").GetString().ShouldBe("job_braked");
    }

    [Fact]
    public async Task Member_ThatIsAwayForHours_IsAskedAtTheResendInterval_AndTheWorkerLives()
    {
        options.Alertmanager.ResendInterval = TimeSpan.FromMinutes(1);
        // The clock below goes on while a request is on its way, which is not to end it: on a slow machine none would come through.
        options.SinkTimeout = TimeSpan.FromDays(30);
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Task.CompletedTask;
        };
        using var sent = new MetricCollector<long>(meters, "maintenance.alerts.sent");
        Fail();
        await using var sender = await StartAsync();

        // More doublings of 5 s than a time can hold.
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(options.Alertmanager.ResendInterval);
                return sent.Sum(("outcome", "failure")) >= 70;
            },
            TimeSpan.FromMinutes(2));

        sender.Sender.ExecuteTask!.IsCompleted.ShouldBeFalse();
        receiver.Answer = (_, _) => Task.CompletedTask;
        await Eventually.TrueAsync(() =>
        {
            time.Advance(options.Alertmanager.ResendInterval);
            return sent.Sum(("outcome", "success")) > 0;
        });
    }

    private void Fail() => center.Take(new JobResult
    {
        Job = JobNames.SessionCleanup,
        RunId = "1",
        Replica = "a",
        Started = time.GetUtcNow(),
        DurationSeconds = 1,
        Outcome = JobOutcome.Failed,
        Braked = true,
        Errors = ["Stopped before removing 9 of 10 sessions"],
    });

    private async Task<Sending> StartAsync()
    {
        var sender = new AlertmanagerSender(center, new SinkOutcomes(meters, time, log.For<SinkOutcomes>()), Options.Create(options), time);
        await sender.StartAsync(CancellationToken.None);
        return new Sending(sender);
    }

    private sealed record Sending(AlertmanagerSender Sender) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Sender.StopAsync(CancellationToken.None);
            Sender.Dispose();
        }
    }
}
