using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Scheduling;

/// <summary>Checks what every job's options have and names each wrong setting.</summary>
internal sealed class JobOptionsValidator<TOptions>(string section, TimeProvider timeProvider) : IValidateOptions<TOptions>
    where TOptions : JobOptions
{
    public ValidateOptionsResult Validate(string? name, TOptions options)
    {
        var failures = new List<string>();
        void Check(bool valid, string setting, string problem)
        {
            if (!valid)
            {
                failures.Add($"{section}:{setting} {problem}.");
            }
        }

        var parsed = JobSchedule.TryParse(options.Schedule, out var schedule, out var problem);
        Check(parsed, nameof(options.Schedule), problem ?? "");
        Check(schedule is null || schedule.HasFuture(timeProvider.GetUtcNow()), nameof(options.Schedule), $"is '{options.Schedule}', which is never due again");
        Check(options.Jitter >= TimeSpan.Zero && options.Jitter <= TimeSpan.FromHours(1), nameof(options.Jitter), $"is {options.Jitter}; expected 0 to 1 hour");

        var budget = options.Budget;
        Check(budget.CommandsPerSecond is >= 1 and <= 10_000_000, "Budget:CommandsPerSecond", $"is {budget.CommandsPerSecond}; expected 1 to 10000000");
        Check(budget.DutyCycle is > 0 and <= 1, "Budget:DutyCycle", $"is {budget.DutyCycle}; expected above 0 and at most 1");
        Check(budget.ScanCount is >= 1 and <= 100_000, "Budget:ScanCount", $"is {budget.ScanCount}; expected 1 to 100000");
        Check(budget.BatchSize is >= 1 and <= 10_000, "Budget:BatchSize", $"is {budget.BatchSize}; expected 1 to 10000");
        Check(budget.SlowdownRatio is > 1 and <= 1000, "Budget:SlowdownRatio", $"is {budget.SlowdownRatio}; expected above 1 and at most 1000");

        Check(options.Brake.Share is >= 0 and <= 1, "Brake:Share", $"is {options.Brake.Share}; expected 0 to 1");
        Check(options.Brake.Minimum >= 0, "Brake:Minimum", $"is {options.Brake.Minimum}; expected 0 or more");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
