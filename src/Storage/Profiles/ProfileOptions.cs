using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Profiles;

/// <summary>What of a profile is cached. Bound from <c>Storage:Profiles</c>.</summary>
public sealed class ProfileOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:Profiles";

    internal static readonly string[] DefaultFields = ["id", "displayName", "email", "emailVerified", "roles", "locale", "timeZone", "avatarUrl"];

    /// <summary>
    /// Names of the fields that may be stored, compared to the letter; any other is refused. Empty: <c>id</c>, <c>displayName</c>, <c>email</c>,
    /// <c>emailVerified</c>, <c>roles</c>, <c>locale</c>, <c>timeZone</c>, <c>avatarUrl</c>.
    /// </summary>
    public List<string> Fields { get; set; } = [];

    /// <summary>Life of a profile. 1 s to 7 days; default 30 min.</summary>
    public TimeSpan Life { get; set; } = TimeSpan.FromMinutes(30);

    internal IReadOnlyCollection<string> AllowedFields => Fields.Count > 0 ? Fields : DefaultFields;
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class ProfileOptionsValidator : IValidateOptions<ProfileOptions>
{
    public ValidateOptionsResult Validate(string? name, ProfileOptions options)
    {
        var failures = new List<string>();
        if (options.Fields.Exists(string.IsNullOrWhiteSpace))
        {
            failures.Add($"{ProfileOptions.Section}:Fields holds an empty name.");
        }

        if (options.Life < TimeSpan.FromSeconds(1) || options.Life > TimeSpan.FromDays(7))
        {
            failures.Add($"{ProfileOptions.Section}:Life is {options.Life}; expected 1 s to 7 days.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
