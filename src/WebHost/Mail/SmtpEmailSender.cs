using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.Extensions.Options;
using MimeKit;
using MimeKit.Text;

namespace Maintenance.WebHost.Mail;

/// <summary>Sends by SMTP, a connection a message: a host sends few, and a connection that is kept open has often been closed by the other side.</summary>
internal sealed class SmtpEmailSender(IOptionsMonitor<MailOptions> options, TimeProvider clock) : IEmailSender
{
    private const int FirstPermanentReply = 500;

    public async Task SendAsync(Email email, CancellationToken cancellationToken)
    {
        var settings = options.CurrentValue;
        using var message = Compose(email, settings);
        using var limit = new CancellationTokenSource(settings.Timeout, clock);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var client = new SmtpClient();
        Trust(client, settings);
        try
        {
            await client.ConnectAsync(settings.Host!, settings.Port, SocketOptions(settings.Tls), stop.Token);
            if (settings.User is { Length: > 0 } user)
            {
                await client.AuthenticateAsync(user, settings.Password ?? "", stop.Token);
            }

            await client.SendAsync(message, stop.Token);
        }
        catch (SmtpCommandException refused) when ((int)refused.StatusCode >= FirstPermanentReply)
        {
            // Without the server's text, which may name the address.
            throw new MailRefusedException($"the server answered {(int)refused.StatusCode}", refused);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new MailDeferredException(Reason(exception, settings), exception);
        }

        await QuitAsync(client, stop.Token);
    }

    private static MimeMessage Compose(Email email, MailOptions settings)
    {
        var message = new MimeMessage();
        message.From.Add(new MailboxAddress(settings.FromName, settings.Sender));
        message.To.Add(new MailboxAddress(null, email.To));
        message.Subject = email.Subject;
        // Out-of-office answers to a machine help nobody.
        message.Headers.Add(HeaderId.AutoSubmitted, "auto-generated");
        message.Body = new TextPart(TextFormat.Plain) { Text = email.Text };
        return message;
    }

    private static SecureSocketOptions SocketOptions(MailTls tls) => tls switch
    {
        MailTls.Implicit => SecureSocketOptions.SslOnConnect,
        MailTls.None => SecureSocketOptions.None,
        _ => SecureSocketOptions.StartTls,
    };

    private static string Reason(Exception exception, MailOptions settings) => exception switch
    {
        SmtpCommandException later => $"the server answered {(int)later.StatusCode}",
        OperationCanceledException => $"the server took longer than Mail:Timeout, {settings.Timeout}",
        SslHandshakeException => "TLS failed: the server's certificate is not trusted (Mail:CaFile) or is for another name, or Mail:Tls does not fit Mail:Port",
        AuthenticationException => "the server does not take Mail:User with Mail:Password",
        NotSupportedException => "the server does not offer what is needed: STARTTLS, a way to authenticate, or addresses beyond ASCII",
        SocketException socket => $"the server cannot be reached: {socket.SocketErrorCode}",
        _ => exception.GetType().Name,
    };

    private static void Trust(SmtpClient client, MailOptions settings)
    {
        // Lists of revoked certificates are at addresses that a host in production often may not reach; mail would stop.
        client.CheckCertificateRevocation = false;
        if (settings.CaFile is { Length: > 0 } file)
        {
            client.ServerCertificateValidationCallback = (_, certificate, sent, errors) => IsSignedBy(file, certificate, sent, errors);
        }
    }

    private static bool IsSignedBy(string file, X509Certificate? certificate, X509Chain? sent, SslPolicyErrors errors)
    {
        if (certificate is not X509Certificate2 server || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.ImportFromPemFile(file);
        chain.ChainPolicy.ExtraStore.AddRange(sent?.ChainElements.Select(element => element.Certificate).ToArray() ?? []);
        return chain.Build(server);
    }

    // The message is taken. A server that does not say goodbye takes nothing back.
    private static async Task QuitAsync(SmtpClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.DisconnectAsync(quit: true, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or SmtpProtocolException or SmtpCommandException)
        {
            // See above.
        }
    }
}
