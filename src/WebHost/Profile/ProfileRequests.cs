using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Hosting;

namespace Maintenance.WebHost.Profile;

/// <summary>A user as he sees himself.</summary>
internal sealed record ProfileView(
    string Id, string Email, bool EmailVerified, string Name, IReadOnlyList<string> Roles, string? Locale, string? TimeZone, string? AvatarUrl);

/// <summary>What a user may change of the profile. A field that is left out is emptied, except the name.</summary>
internal sealed record ProfileRequest : IValidatableObject
{
    [Required]
    [PlainText(RegisterRequest.MaxNameLength, NoLinks = true)]
    public string Name { get; init; } = "";

    /// <summary>Language tag, for example <c>de-CH</c>.</summary>
    [PlainText(35)]
    public string? Locale { get; init; }

    /// <summary>Name of a time zone of the IANA database, for example <c>Europe/Zurich</c>.</summary>
    [PlainText(64)]
    public string? TimeZone { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (string.IsNullOrWhiteSpace(Name))
        {
            yield return new ValidationResult("A name is required.", [nameof(Name)]);
        }

        if (Locale is { Length: > 0 } && !ProfilePatterns.Locale().IsMatch(Locale))
        {
            yield return new ValidationResult("Not a language tag such as de-CH.", [nameof(Locale)]);
        }

        if (TimeZone is { Length: > 0 } && !ProfilePatterns.TimeZone().IsMatch(TimeZone))
        {
            yield return new ValidationResult("Not the name of a time zone such as Europe/Zurich.", [nameof(TimeZone)]);
        }
    }
}

/// <summary>Where the new picture is.</summary>
internal sealed record AvatarView(string AvatarUrl);

/// <summary>The form of texts that other programs will read. Which zones exist is their database's matter.</summary>
internal static partial class ProfilePatterns
{
    [GeneratedRegex(@"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    public static partial Regex Locale();

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    public static partial Regex TimeZone();
}
