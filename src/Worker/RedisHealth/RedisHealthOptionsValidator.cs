using Microsoft.Extensions.Options;

namespace Maintenance.Worker.RedisHealth;

/// <summary>Refuses values with which a probe would measure nothing, and names them.</summary>
internal sealed class RedisHealthOptionsValidator : IValidateOptions<RedisHealthOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisHealthOptions options)
    {
        List<string> errors = [];
        Check(options.Pings is >= 1 and <= 1000, "Pings must be 1 to 1000");
        Check(options.Deadline > TimeSpan.Zero, "Deadline must be positive");
        Check(options.CallDeadline > TimeSpan.Zero, "CallDeadline must be positive");
        Check(options.ConnectTimeout > TimeSpan.Zero, "ConnectTimeout must be positive");
        Check(options.MinReplicas >= 0, "MinReplicas must not be negative");
        Check(options.MemoryDegraded is > 0 and <= 1, "MemoryDegraded must be above 0 and at most 1");
        Check(options.EvictionsDegraded >= 1, "EvictionsDegraded must be at least 1");
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);

        void Check(bool right, string error)
        {
            if (!right)
            {
                errors.Add($"Jobs:RedisHealth:{error}.");
            }
        }
    }
}
