using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.SignIn;

namespace Maintenance.WebHost.Tests.Hosting;

public sealed class RequestRulesTests
{
    [Theory]
    [InlineData("ann@example.com", true)]
    [InlineData("ann+tag@sub.example.co.uk", true)]
    [InlineData("o'neil@example.com", true)]
    [InlineData("ann@localhost", true)]
    [InlineData("ann", false)]
    [InlineData("@example.com", false)]
    [InlineData("ann@", false)]
    [InlineData("ann@@example.com", false)]
    [InlineData("ann@-example.com", false)]
    [InlineData("ann@example..com", false)]
    [InlineData("an n@example.com", false)]
    [InlineData("ann@example.com\r\nBcc: x@example.com", false)]
    [InlineData("<ann@example.com>", false)]
    public void MailAddress_IsOneAddress(string text, bool valid) => MailAddressAttribute.IsAddress(text).ShouldBe(valid);

    [Fact]
    public void Failures_NameEachFieldAsTheClientDoes()
    {
        var failures = RequestRules.Failures(new RegisterRequest { Email = "no address", Password = new string('x', 129), Name = "a\0b" }).ShouldNotBeNull();
        failures.Keys.ShouldBe(["email", "password", "name"], ignoreOrder: true);
    }

    [Fact]
    public void PlainText_RefusesWhatADatabaseCannotKeep()
    {
        // Not as data of a theory: a test's name cannot hold half a surrogate pair either.
        foreach (var text in (string[])["\ud800", "a\u0007", "\udc00\ud800", "\ud83d x", "\0"])
        {
            RequestRules.Failures(new LoginRequest { Email = "ann@example.com", Password = "x", Device = text }).ShouldNotBeNull().Keys.ShouldBe(["device"]);
        }
    }

    [Theory]
    [InlineData("Ann O'Neil-Müller, Dr.", true)]
    [InlineData("See https://evil.example", false)]
    [InlineData("WWW.evil.example", false)]
    [InlineData("Ann\u2028Your account is at risk", false)]
    public void Name_IsOneLine_AndHoldsNoLink(string name, bool valid) => RequestRules
        .Failures(new RegisterRequest { Email = "ann@example.com", Password = "x", Name = name })?.Keys.ShouldBe(valid ? [] : ["name"]);

    [Fact]
    public void PlainText_CountsBytesWhereBytesAreStored()
    {
        RequestRules.Failures(new LoginRequest { Email = "ann@example.com", Password = "x", Device = new string('é', 64) }).ShouldBeNull();
        RequestRules.Failures(new LoginRequest { Email = "ann@example.com", Password = "x", Device = new string('é', 65) }).ShouldNotBeNull();
        RequestRules.Failures(new LoginRequest { Email = "ann@example.com", Password = "x", Device = "📱" }).ShouldBeNull();
    }
}
