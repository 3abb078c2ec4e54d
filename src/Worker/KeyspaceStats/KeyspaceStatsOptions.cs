using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.KeyspaceStats;

/// <summary>How closely the keyspace is looked at. Bound from <c>Jobs:KeyspaceStats</c>.</summary>
public sealed class KeyspaceStatsOptions : JobOptions
{
    /// <summary>
    /// Keys a kind whose TTL and bytes are asked for, drawn evenly from all of them; where a kind has no more keys, all. Counts of keys need no sample.
    /// Default 1,000: a share of a tenth is then known to two hundredths.
    /// </summary>
    public int SampleKeysPerKind { get; set; } = 1000;
}

/// <summary>Refuses a sample that would tell nothing or block Redis.</summary>
internal sealed class KeyspaceStatsOptionsValidator : IValidateOptions<KeyspaceStatsOptions>
{
    public ValidateOptionsResult Validate(string? name, KeyspaceStatsOptions options) => options.SampleKeysPerKind is >= 1 and <= 1_000_000
        ? ValidateOptionsResult.Success
        : ValidateOptionsResult.Fail($"Jobs:KeyspaceStats:SampleKeysPerKind is {options.SampleKeysPerKind}; expected 1 to 1000000.");
}
