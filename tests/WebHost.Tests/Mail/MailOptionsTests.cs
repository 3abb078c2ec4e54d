using Maintenance.WebHost.Mail;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;

namespace Maintenance.WebHost.Tests.Mail;

public sealed class MailOptionsTests
{
    [Fact]
    public void Defaults_AreValid() => Failures(_ => { }).ShouldBeEmpty();

    [Fact]
    public void Setting_ThatIsWrong_IsNamed()
    {
        Wrong(options => Complete(options).Host = "not a host", "Mail:Host");
        Wrong(options => options.Port = 0, "Mail:Port");
        Wrong(options => options.Tls = (MailTls)9, "Mail:Tls");
        Wrong(options => options.CaFile = "/nowhere/ca.pem", "Mail:CaFile");
        Wrong(options => options.From = "nobody", "Mail:From");
        Wrong(options => options.FromName = "Acme\r\nBcc: eve@example.com", "Mail:FromName");
        Wrong(options => options.Timeout = TimeSpan.Zero, "Mail:Timeout");
        Wrong(options => options.PublicUrl = "example.com", "Mail:PublicUrl");
        Wrong(options => options.Password = "x", "Mail:User");
        Wrong(options => (Complete(options).Host, options.User, options.Tls) = ("mail.example.com", "mailer", MailTls.None), "Mail:Tls");
    }

    [Fact]
    public void Password_MayBeSentInClear_OnThisMachineOnly() =>
        Failures(options => (Complete(options).Host, options.User, options.Password, options.Tls) = ("127.0.0.1", "mailer", "x", MailTls.None)).ShouldBeEmpty();

    [Fact]
    public void MailThatLeaves_NeedsASenderAndAPublicUrlByHttps_ExceptInDevelopment()
    {
        static Action<MailOptions> Leaving(string? from, string? url) => options => (options.Host, options.From, options.PublicUrl) = ("mail.example.com", from, url);

        Wrong(Leaving(null, "https://auth.example.com"), "Mail:From");
        Wrong(Leaving("", "https://auth.example.com"), "Mail:From");
        Wrong(Leaving("no-reply@example.com", null), "Mail:PublicUrl is not set");
        Wrong(Leaving("no-reply@example.com", ""), "Mail:PublicUrl is not set");
        Wrong(Leaving("no-reply@example.com", "http://auth.example.com"), "Mail:PublicUrl");
        Failures(Leaving("no-reply@example.com", "https://auth.example.com")).ShouldBeEmpty();
        Failures(Leaving("no-reply@example.com", "http://localhost:8080")).ShouldBeEmpty("a trial on this machine says so");
        Failures(Leaving(null, null), Environments.Development).ShouldBeEmpty();
        Failures(Leaving(null, "http://auth.example.com"), Environments.Development).ShouldBeEmpty();
    }

    private static MailOptions Complete(MailOptions options)
    {
        (options.From, options.PublicUrl) = ("no-reply@example.com", "https://auth.example.com");
        return options;
    }

    private static void Wrong(Action<MailOptions> change, string setting) => Failures(change).ShouldHaveSingleItem().ShouldStartWith(setting);

    private static IEnumerable<string> Failures(Action<MailOptions> change, string? environment = null)
    {
        var options = new MailOptions();
        change(options);
        return new MailOptionsValidator(new HostingEnvironment { EnvironmentName = environment ?? Environments.Production }).Validate(null, options).Failures ?? [];
    }
}
