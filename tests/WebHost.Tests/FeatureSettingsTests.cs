using System.Reflection;
using Maintenance.Testing;
using Maintenance.WebHost.Admin;
using Maintenance.WebHost.Admin.Pages;
using Maintenance.WebHost.ExternalSignIn;
using Maintenance.WebHost.Profile.Avatars;
using Maintenance.WebHost.StepUp;
using Maintenance.WebHost.TwoFactor;

namespace Maintenance.WebHost.Tests;

public sealed class FeatureSettingsTests
{
    [Fact]
    public void Document_HasARowForEverySettingOfTheFeatures()
    {
        var document = File.ReadAllText(Path.Combine(BuiltProgram.RepositoryRoot, "docs", "configuration.md"));
        (string Section, Type Options)[] sections =
        [
            (ExternalSignInOptions.Section, typeof(ExternalSignInOptions)),
            ($"{ExternalSignInOptions.Section}:Providers:<name>", typeof(ExternalProviderOptions)),
            (TwoFactorSettings.Section, typeof(TwoFactorSettings)),
            (StepUpOptions.Section, typeof(StepUpOptions)),
            (AdminOptions.Section, typeof(AdminOptions)),
            (AdminPageOptions.Section, typeof(AdminPageOptions)),
            (AvatarOptions.Section, typeof(AvatarOptions)),
        ];

        var settings = sections.SelectMany(section => section.Options.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite && property.Name != "Providers")
            .Select(property => $"{section.Section}:{property.Name}")).ToList();

        settings.Count.ShouldBeGreaterThan(20);
        settings.Where(setting => !document.Contains($"| `{setting}` |", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    public static IEnumerable<object[]> Wrong =>
    [
        Row("ExternalSignIn:PublicOrigin", (options, _) => options.PublicOrigin = "http://auth.example.org"),
        Row("ExternalSignIn:PublicOrigin", (options, _) => options.PublicOrigin = "https://auth.example.org/path"),
        Row("ExternalSignIn:ErrorPath", (options, _) => options.ErrorPath = "https://evil.example"),
        Row("ExternalSignIn:TwoFactorPath", (options, _) => options.TwoFactorPath = "//evil.example"),
        Row("ExternalSignIn:Timeout", (options, _) => options.Timeout = TimeSpan.Zero),
        Row("ExternalSignIn:ClockSkew", (options, _) => options.ClockSkew = TimeSpan.FromHours(1)),
        Row("ExternalSignIn:Providers:acme:Authority", (_, provider) => provider.Authority = "http://accounts.example.org"),
        Row("ExternalSignIn:Providers:acme:ClientId", (_, provider) => provider.ClientId = " "),
        Row("ExternalSignIn:Providers:acme:Scopes", (_, provider) => provider.Scopes.Add("openid profile")),
        Row("ExternalSignIn:Providers:acme:TokenEndpoint", (_, provider) => provider.Authority = null),
    ];

    [Theory]
    [MemberData(nameof(Wrong))]
    public void ExternalSignIn_NamesTheSettingThatIsWrong_AndNeverASecret(string setting, object wrong)
    {
        var provider = new ExternalProviderOptions { Authority = "https://accounts.example.org", ClientId = "client", ClientSecret = "the-secret" };
        var options = new ExternalSignInOptions { PublicOrigin = "https://auth.example.org", Providers = { ["acme"] = provider } };
        var validator = new ExternalSignInOptionsValidator();
        validator.Validate(null, options).Succeeded.ShouldBeTrue();

        ((Action<ExternalSignInOptions, ExternalProviderOptions>)wrong)(options, provider);

        var failures = string.Join('\n', validator.Validate(null, options).Failures ?? []);
        failures.ShouldContain(setting);
        failures.ShouldNotContain("the-secret");
    }

    private static object[] Row(string setting, Action<ExternalSignInOptions, ExternalProviderOptions> change) => [setting, change];
}
