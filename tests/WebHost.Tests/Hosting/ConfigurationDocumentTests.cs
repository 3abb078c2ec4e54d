using System.Reflection;
using Maintenance.Testing;
using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Database;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.KeyRing;
using Maintenance.WebHost.Mail;
using Maintenance.WebHost.Passwords;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.SignIn;

namespace Maintenance.WebHost.Tests.Hosting;

/// <summary>docs/configuration.md has a row for every setting of the web host, and a word for every limit.</summary>
public sealed class ConfigurationDocumentTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(BuiltProgram.RepositoryRoot, "docs", "configuration.md"));

    public static TheoryData<string, string> Sections => new()
    {
        { ApiOptions.Section, typeof(ApiOptions).AssemblyQualifiedName! },
        { ManagementOptions.Section, typeof(ManagementOptions).AssemblyQualifiedName! },
        { ProxyOptions.Section, typeof(ProxyOptions).AssemblyQualifiedName! },
        { DatabaseOptions.Section, typeof(DatabaseOptions).AssemblyQualifiedName! },
        { KeyRingOptions.Section, typeof(KeyRingOptions).AssemblyQualifiedName! },
        { AccountOptions.Section, typeof(AccountOptions).AssemblyQualifiedName! },
        { PasswordSettings.Section, typeof(PasswordSettings).AssemblyQualifiedName! },
        { CaptchaOptions.Section, typeof(CaptchaOptions).AssemblyQualifiedName! },
        { SessionCookieOptions.Section, typeof(SessionCookieOptions).AssemblyQualifiedName! },
        { KnownDeviceOptions.Section, typeof(KnownDeviceOptions).AssemblyQualifiedName! },
        { MailOptions.Section, typeof(MailOptions).AssemblyQualifiedName! },
        { VerifyLimitOptions.Section, typeof(VerifyLimitOptions).AssemblyQualifiedName! },
    };

    [Theory]
    [MemberData(nameof(Sections))]
    public void Document_HasARowForEverySetting(string section, string options) => Type.GetType(options)!
        .GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        .Where(property => property.CanWrite)
        .Select(property => $"{section}:{property.Name}")
        .Where(setting => !Document.Contains($"| `{setting}` |", StringComparison.Ordinal))
        .ShouldBeEmpty();

    [Fact]
    public void Document_HasAWordForEveryLimit() =>
        Limits.Defaults().Keys.Where(limit => !Document.Contains($"`{limit}`", StringComparison.Ordinal)).ShouldBeEmpty();
}
