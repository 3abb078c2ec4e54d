using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Tests.Scheduling;

public sealed class JobOptionsValidatorTests
{
    private readonly JobOptionsValidator<JobOptions> validator = new("Jobs:IndexReconciliation", new ManualTimeProvider());

    public static TheoryData<string, Action<JobOptions>> Wrong => new()
    {
        { "Jobs:IndexReconciliation:Schedule", options => options.Schedule = "now and then" },
        { "Jobs:IndexReconciliation:Schedule", options => options.Schedule = "0 0 12 1 1 ? 2020" },
        { "Jobs:IndexReconciliation:Jitter", options => options.Jitter = TimeSpan.FromSeconds(-1) },
        { "Jobs:IndexReconciliation:Budget:CommandsPerSecond", options => options.Budget.CommandsPerSecond = 0 },
        { "Jobs:IndexReconciliation:Budget:DutyCycle", options => options.Budget.DutyCycle = 0 },
        { "Jobs:IndexReconciliation:Budget:DutyCycle", options => options.Budget.DutyCycle = double.NaN },
        { "Jobs:IndexReconciliation:Budget:ScanCount", options => options.Budget.ScanCount = 0 },
        { "Jobs:IndexReconciliation:Budget:BatchSize", options => options.Budget.BatchSize = 0 },
        { "Jobs:IndexReconciliation:Budget:SlowdownRatio", options => options.Budget.SlowdownRatio = 1 },
        { "Jobs:IndexReconciliation:Brake:Share", options => options.Brake.Share = 1.5 },
        { "Jobs:IndexReconciliation:Brake:Minimum", options => options.Brake.Minimum = -1 },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Validate_NamesTheWrongSetting(string setting, Action<JobOptions> spoil)
    {
        var options = new JobOptions { Schedule = "00:05:00" };
        spoil(options);
        var failures = validator.Validate(null, options).Failures.ShouldNotBeNull().ToList();
        failures.Count.ShouldBe(1);
        failures[0].ShouldStartWith(setting + " ");
    }

    [Theory]
    [InlineData("00:00:01")]
    [InlineData("0 0 3 * * ?")]
    public void Validate_AcceptsDefaults(string schedule) =>
        validator.Validate(null, new JobOptions { Schedule = schedule }).Succeeded.ShouldBeTrue();
}
