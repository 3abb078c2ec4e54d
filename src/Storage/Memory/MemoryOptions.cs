using Maintenance.Storage.Redis;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Memory;

/// <summary>Bounds of the in-memory stores. Bound from <c>Storage:Memory</c>.</summary>
public sealed class MemoryOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:Memory";

    internal static readonly TimeSpan DefaultSweepInterval = TimeSpan.FromSeconds(60);

    /// <summary>Entries that one kind of state may hold in memory; one more is refused (a cache lets go of what expires soonest). Default 100,000.</summary>
    public int MaxEntriesPerKind { get; set; } = 100_000;

    /// <summary>How often expired entries are removed; a read never returns one. Default 60 s.</summary>
    public TimeSpan SweepInterval { get; set; } = DefaultSweepInterval;

    /// <summary>What a store throws when it is at its cap: nothing was kept, and the caller must not believe otherwise.</summary>
    internal static StorageUnavailableException Full(string store, int cap) =>
        new(UnavailableReason.OutOfMemory, $"The in-memory store '{store}' holds its cap of {cap} entries ({Section}:{nameof(MaxEntriesPerKind)}).");
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class MemoryOptionsValidator : IValidateOptions<MemoryOptions>
{
    public ValidateOptionsResult Validate(string? name, MemoryOptions options)
    {
        var failures = new List<string>();
        if (options.MaxEntriesPerKind is < 1 or > 10_000_000)
        {
            failures.Add($"{MemoryOptions.Section}:MaxEntriesPerKind is {options.MaxEntriesPerKind}; expected 1 to 10000000.");
        }

        if (options.SweepInterval < TimeSpan.FromSeconds(1) || options.SweepInterval > TimeSpan.FromHours(1))
        {
            failures.Add($"{MemoryOptions.Section}:SweepInterval is {options.SweepInterval}; expected 1 s to 1 h.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
