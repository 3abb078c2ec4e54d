using Maintenance.Testing;
using Maintenance.WebHost.Mail;

namespace Maintenance.WebHost.Tests.Mail;

/// <summary>Delivery to a server of our own on loopback, byte by byte.</summary>
public sealed class SmtpEmailSenderTests
{
    private const string To = "ann@example.com";
    private const string Password = "s3cret-of-mail";

    private static readonly Email Message = new("password_reset", To, "Neues Passwort für Ann", "Hello Ann,\n\n.a line that begins with a dot\nhttps://example.com/reset?token=abc\n");

    [Fact]
    public async Task Send_DeliversEnvelopeHeadersAndBody()
    {
        await using var server = SmtpServer.Start();

        await SendAsync(server, settings => settings.FromName = "Acme Accounts");

        var mail = server.Delivered.ShouldHaveSingleItem();
        mail.From.ShouldBe("no-reply@example.com");
        mail.To.ShouldBe([To]);
        mail.Headers.ShouldContain($"To: {To}");
        mail.Headers.ShouldContain("From: Acme Accounts <no-reply@example.com>");
        mail.Headers.ShouldContain("Auto-Submitted: auto-generated");
        mail.Headers.ShouldContain(header => header.StartsWith("Date: ", StringComparison.Ordinal));
        mail.Headers.ShouldContain(header => header.StartsWith("Message-Id: <", StringComparison.Ordinal));
        MimeKit.Utils.Rfc2047.DecodeText(System.Text.Encoding.UTF8.GetBytes(mail.Headers.Single(header => header.StartsWith("Subject: ", StringComparison.Ordinal))["Subject: ".Length..]))
            .ShouldBe(Message.Subject);
        mail.Body.ShouldContain(".a line that begins with a dot");
        mail.Body.ShouldContain("https://example.com/reset?token=abc");
        server.Commands.ShouldContain("QUIT");
    }

    [Fact]
    public async Task Send_Authenticates_AndSaysNoPasswordInClear()
    {
        await using var server = SmtpServer.Start(tls: true, user: "mailer", password: Password);

        await SendAsync(server, settings =>
        {
            (settings.User, settings.Password, settings.Tls) = ("mailer", Password, MailTls.StartTls);
            settings.CaFile = CaFile(server);
        });

        server.Delivered.ShouldHaveSingleItem().ShouldSatisfyAllConditions(mail => mail.User.ShouldBe("mailer"), mail => mail.Encrypted.ShouldBeTrue());
        server.Commands.TakeWhile(command => command != "AUTH").ShouldContain("STARTTLS");
    }

    [Fact]
    public async Task Send_ByImplicitTls_IsEncrypted()
    {
        await using var server = SmtpServer.Start(implicitTls: true);

        await SendAsync(server, settings => (settings.Tls, settings.CaFile) = (MailTls.Implicit, CaFile(server)));

        server.Delivered.ShouldHaveSingleItem().Encrypted.ShouldBeTrue();
    }

    [Theory]
    [InlineData(true, "Mail:CaFile")]
    [InlineData(false, "STARTTLS")]
    public async Task Send_RefusesAServerThatIsNotTrusted_OrOffersNoTls(bool tls, string reason)
    {
        await using var server = SmtpServer.Start(tls, user: "mailer", password: Password);

        var exception = await Should.ThrowAsync<MailDeferredException>(() => SendAsync(
            server, settings => (settings.Tls, settings.User, settings.Password) = (MailTls.StartTls, "mailer", Password)));

        exception.Message.ShouldContain(reason);
        exception.ToString().ShouldNotContain(Password);
        server.Delivered.ShouldBeEmpty();
        server.Commands.ShouldNotContain("AUTH");
    }

    [Fact]
    public async Task Send_WithAWrongPassword_IsTriedAgain_AndSaysWhichSetting()
    {
        await using var server = SmtpServer.Start(user: "mailer", password: Password);

        var exception = await Should.ThrowAsync<MailDeferredException>(() => SendAsync(server, settings => (settings.User, settings.Password) = ("mailer", "wrong")));

        exception.Message.ShouldContain("Mail:Password");
        exception.Message.ShouldNotContain("wrong");
    }

    [Theory]
    [InlineData("MAIL", "451 busy ann@example.com", typeof(MailDeferredException))]
    [InlineData("RCPT", "450 greylisted ann@example.com", typeof(MailDeferredException))]
    [InlineData(".", "452 no room for ann@example.com", typeof(MailDeferredException))]
    [InlineData("RCPT", "550 no such user ann@example.com", typeof(MailRefusedException))]
    [InlineData(".", "554 spam of ann@example.com", typeof(MailRefusedException))]
    public async Task Send_TellsLaterFromNever_WithoutTheAddress(string command, string answer, Type expected)
    {
        await using var server = SmtpServer.Start();
        server.Answer = verb => verb == command ? answer : null;

        var exception = await Should.ThrowAsync<Exception>(() => SendAsync(server, _ => { }));

        exception.ShouldBeOfType(expected);
        exception.Message.ShouldContain(answer[..3]);
        exception.Message.ShouldNotContain(To);
        server.Delivered.ShouldBeEmpty();
    }

    [Fact]
    public async Task Send_EndsAtItsTimeout_AndWhenItIsCancelled()
    {
        await using var server = SmtpServer.Start();
        server.Delay = stop => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);

        (await Should.ThrowAsync<MailDeferredException>(() => SendAsync(server, settings => settings.Timeout = TimeSpan.FromSeconds(1)))).Message.ShouldContain("Mail:Timeout");

        using var stop = new CancellationTokenSource();
        var sending = SendAsync(server, settings => settings.Timeout = TimeSpan.FromMinutes(5), stop.Token);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => sending);
    }

    [Fact]
    public async Task Send_IsTriedAgain_WhenNobodyListens()
    {
        // Not that of a server that has ended: the kernel may have given it to somebody else meanwhile.
        var sender = Sender(new MailOptions { Host = "127.0.0.1", Port = FreePort.Next(), Tls = MailTls.None });
        (await Should.ThrowAsync<MailDeferredException>(() => sender.SendAsync(Message, CancellationToken.None))).Message.ShouldContain("ConnectionRefused");
    }

    [Theory]
    [InlineData("ann@example.com\r\nBcc: eve@example.com", "Hello")]
    [InlineData("ann@example.com, eve@example.com", "Hello")]
    [InlineData("ann@example.com", "Hello\r\nBcc: eve@example.com")]
    [InlineData("ann@example.com", "Hello\nBcc: eve@example.com")]
    [InlineData("no address", "Hello")]
    public void Email_TakesNoHeadersOfOthers(string to, string subject) => Should.Throw<ArgumentException>(() => new Email("test", to, subject, "text"));

    [Fact]
    public async Task Send_TakesABodyForABody_WhateverItHolds()
    {
        await using var server = SmtpServer.Start();

        await Sender(Settings(server)).SendAsync(new Email("test", To, "Hello", "\r\n.\r\nMAIL FROM:<eve@example.com>\r\nBcc: eve@example.com\r\n"), CancellationToken.None);

        var mail = server.Delivered.ShouldHaveSingleItem();
        mail.To.ShouldBe([To]);
        mail.Headers.ShouldNotContain(header => header.Contains("eve", StringComparison.Ordinal));
        mail.Body.ShouldContain("eve@example.com");
    }

    private static Task SendAsync(SmtpServer server, Action<MailOptions> change, CancellationToken cancellationToken = default)
    {
        var settings = Settings(server);
        change(settings);
        return Sender(settings).SendAsync(Message, cancellationToken);
    }

    private static MailOptions Settings(SmtpServer server) =>
        new() { Host = "127.0.0.1", Port = server.Port, Tls = MailTls.None, From = "no-reply@example.com", Timeout = TimeSpan.FromMinutes(1) };

    private static SmtpEmailSender Sender(MailOptions settings) => new(new FixedOptions<MailOptions>(settings), TimeProvider.System);

    private static string CaFile(SmtpServer server)
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("mail-ca").FullName, "ca.pem");
        File.WriteAllText(file, server.CertificatePem);
        return file;
    }
}
