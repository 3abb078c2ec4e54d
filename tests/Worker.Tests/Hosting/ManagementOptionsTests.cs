using System.Net;
using Maintenance.Pages;
using Maintenance.Worker.Cli;
using Maintenance.Worker.Hosting;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Tests.Hosting;

public sealed class ManagementOptionsTests
{
    [Theory]
    [InlineData("", false, "127.0.0.1")]
    [InlineData("", true, "::")]
    [InlineData("*", false, "::")]
    [InlineData("localhost", true, "127.0.0.1")]
    [InlineData("[::1]", false, "::1")]
    [InlineData("0.0.0.0", false, "0.0.0.0")]
    public void ListenerAddress_ListensOnLoopback_UnlessToldOrInAContainer(string address, bool inContainer, string expected)
    {
        ListenerAddress.TryParse(address, inContainer, out var parsed).ShouldBeTrue();
        parsed.ShouldBe(IPAddress.Parse(expected));
    }

    [Fact]
    public void Validate_NamesEachWrongSetting()
    {
        var failures = new ManagementOptionsValidator()
            .Validate(null, new ManagementOptions { Port = 0, Address = "example.org", Token = "short", RequireToken = true }).Failures!.ToList();
        failures.ShouldContain(failure => failure.StartsWith("Management:Port"));
        failures.ShouldContain(failure => failure.StartsWith("Management:Address"));
        failures.ShouldContain(failure => failure.StartsWith("Management:Token"));
        failures.ShouldNotContain(failure => failure.Contains("short"));
        new ManagementOptionsValidator().Validate(null, new ManagementOptions { RequireToken = true }).Failed.ShouldBeTrue();
        new ManagementOptionsValidator().Validate(null, new ManagementOptions()).Succeeded.ShouldBeTrue();
    }

    [Theory]
    [InlineData(JobOutcome.Success, false, 5, 0)]
    [InlineData(JobOutcome.Success, true, 0, 0)]
    [InlineData(JobOutcome.Success, true, 5, 3)]
    [InlineData(JobOutcome.Failed, true, 5, 1)]
    [InlineData(JobOutcome.Canceled, false, 0, 1)]
    [InlineData(JobOutcome.Skipped, false, 0, 1)]
    public void ExitCode_SaysHowARunEnded(JobOutcome outcome, bool dryRun, long drift, int expected) =>
        RunVerb.ExitCode(new JobResult
        {
            Job = "test",
            RunId = "1",
            Replica = "a",
            Started = DateTimeOffset.UnixEpoch,
            DurationSeconds = 0,
            Outcome = outcome,
            DryRun = dryRun,
            Counts = new Dictionary<string, long>(StringComparer.Ordinal) { ["drift_dangling"] = drift, ["keys_seen"] = 100 },
        }).ShouldBe(expected);
}
