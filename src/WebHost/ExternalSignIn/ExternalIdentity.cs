using Maintenance.WebHost.Hosting;

namespace Maintenance.WebHost.ExternalSignIn;

/// <summary>Who somebody is by a provider's word.</summary>
/// <param name="Provider">Name of the provider in the configuration.</param>
/// <param name="Subject">The user's id there; never changes, never given to another.</param>
/// <param name="Email">E-mail address; null when not told.</param>
/// <param name="EmailVerified">Whether the provider says that it has verified the address.</param>
/// <param name="Name">Name; null when not told.</param>
internal sealed record ExternalIdentity(string Provider, string Subject, string? Email, bool EmailVerified, string? Name)
{
    private const int MaxSubjectLength = 255;
    public const int MaxNameLength = 100;

    /// <summary>Whether a text can be a user's id at a provider. One that a database cannot keep, or that is more than a line, is none.</summary>
    public static bool IsSubject(string? text) => text is { Length: > 0 and <= MaxSubjectLength } && !text.Any(c => IsNoText(c) || char.IsSurrogate(c));

    /// <summary>The same with everything in its bounds: an overlong name is cut, what is no address is none.</summary>
    public ExternalIdentity Bounded()
    {
        var email = Email is not null && MailAddressAttribute.IsAddress(Email) ? Email : null;
        var name = Name is null ? null : new string([.. Name.Where(c => !IsNoText(c) && !char.IsSurrogate(c))]).Trim();
        return this with
        {
            Email = email,
            EmailVerified = EmailVerified && email is not null,
            Name = string.IsNullOrEmpty(name) ? null : name.Length > MaxNameLength ? name[..MaxNameLength] : name,
        };
    }

    private static bool IsNoText(char c) => char.IsControl(c) || c is '\u2028' or '\u2029';
}
