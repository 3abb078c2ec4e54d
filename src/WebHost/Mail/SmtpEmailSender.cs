using System.Net;
using System.Net.Mail;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Mail;

/// <summary>Sends by SMTP.</summary>
internal sealed class SmtpEmailSender(IOptionsMonitor<MailOptions> options) : IEmailSender
{
    public async Task SendAsync(Email email, CancellationToken cancellationToken)
    {
        var settings = options.CurrentValue;
        using var client = new SmtpClient(settings.Host!, settings.Port)
        {
            EnableSsl = settings.StartTls,
            Credentials = settings.User is { Length: > 0 } user ? new NetworkCredential(user, settings.Password) : null,
        };
        using var message = new MailMessage(settings.From, email.To, email.Subject, email.Text);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(settings.Timeout);
        await client.SendMailAsync(message, limit.Token);
    }
}
