using Maintenance.WebHost.Mail;

namespace Maintenance.WebHost.Tests.Mail;

public sealed class MailOptionsTests
{
    [Fact]
    public void Defaults_AreValid() => Failures(_ => { }).ShouldBeEmpty();

    [Fact]
    public void Setting_ThatIsWrong_IsNamed()
    {
        Wrong(options => options.Host = "not a host", "Mail:Host");
        Wrong(options => options.Port = 0, "Mail:Port");
        Wrong(options => options.Tls = (MailTls)9, "Mail:Tls");
        Wrong(options => options.CaFile = "/nowhere/ca.pem", "Mail:CaFile");
        Wrong(options => options.From = "nobody", "Mail:From");
        Wrong(options => options.FromName = "Acme\r\nBcc: eve@example.com", "Mail:FromName");
        Wrong(options => options.Timeout = TimeSpan.Zero, "Mail:Timeout");
        Wrong(options => options.PublicUrl = "example.com", "Mail:PublicUrl");
        Wrong(options => options.Password = "x", "Mail:User");
        Wrong(options => (options.Host, options.User, options.Tls) = ("mail.example.com", "mailer", MailTls.None), "Mail:Tls");
    }

    [Fact]
    public void Password_MayBeSentInClear_OnThisMachineOnly() =>
        Failures(options => (options.Host, options.User, options.Password, options.Tls) = ("127.0.0.1", "mailer", "x", MailTls.None)).ShouldBeEmpty();

    private static void Wrong(Action<MailOptions> change, string setting) => Failures(change).ShouldHaveSingleItem().ShouldStartWith(setting);

    private static IEnumerable<string> Failures(Action<MailOptions> change)
    {
        var options = new MailOptions();
        change(options);
        return new MailOptionsValidator().Validate(null, options).Failures ?? [];
    }
}
