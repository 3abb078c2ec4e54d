using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Archive;

/// <summary>How the durable copy is kept. Bound from <c>Archive</c>; without an <see cref="ISessionArchive"/> nothing of it matters.</summary>
public sealed class ArchiveOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Archive";

    /// <summary>Last accesses are written together, once in this time. A session that Redis loses has its last access from before. Default 30 s.</summary>
    public TimeSpan LastAccessInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long Redis remembers that a session was ended. Longer than any request takes, and than the rotation grace. Default 5 min.</summary>
    public TimeSpan TombstoneLife { get; set; } = TimeSpan.FromMinutes(5);
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class ArchiveOptionsValidator : IValidateOptions<ArchiveOptions>
{
    public ValidateOptionsResult Validate(string? name, ArchiveOptions options)
    {
        List<string> failures = [];
        if (options.LastAccessInterval < TimeSpan.FromSeconds(1) || options.LastAccessInterval > TimeSpan.FromHours(1))
        {
            failures.Add($"{ArchiveOptions.Section}:LastAccessInterval is {options.LastAccessInterval}; expected 1 s to 1 h.");
        }

        if (options.TombstoneLife < TimeSpan.FromMinutes(1) || options.TombstoneLife > TimeSpan.FromDays(1))
        {
            failures.Add($"{ArchiveOptions.Section}:TombstoneLife is {options.TombstoneLife}; expected 1 minute to 1 day.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
