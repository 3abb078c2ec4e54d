using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Maintenance.Testing;

/// <summary>A message that was delivered.</summary>
/// <param name="From">Sender of the envelope.</param>
/// <param name="To">Recipients of the envelope.</param>
/// <param name="Data">Header and body as they were sent, lines ended by LF, without the doubled dots.</param>
/// <param name="User">Who was authenticated; null: nobody.</param>
/// <param name="Encrypted">Whether it came by TLS.</param>
public sealed record DeliveredMail(string From, IReadOnlyList<string> To, string Data, string? User, bool Encrypted)
{
    /// <summary>The lines of the header, with folded ones joined.</summary>
    public IReadOnlyList<string> Headers => Data.Split("\n\n", 2)[0].Replace("\n ", " ", StringComparison.Ordinal).Replace("\n\t", " ", StringComparison.Ordinal).Split('\n');

    /// <summary>What comes after the header.</summary>
    public string Body => Data.Split("\n\n", 2)[1];
}

/// <summary>A small SMTP server in this process, on loopback: EHLO, STARTTLS, AUTH PLAIN, and what a delivery needs.</summary>
public sealed class SmtpServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private readonly X509Certificate2? _certificate;
    private readonly bool _implicitTls;
    private readonly ConcurrentQueue<DeliveredMail> _delivered = [];
    private readonly ConcurrentQueue<string> _commands = [];
    private readonly Task _accepting;

    private SmtpServer(bool tls, bool implicitTls)
    {
        _certificate = tls || implicitTls ? HttpReceiver.Certificate() : null;
        _implicitTls = implicitTls;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    /// <summary>Its port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>User that it authenticates; null: it offers no authentication.</summary>
    public string? User { get; init; }

    /// <summary>That user's password.</summary>
    public string? Password { get; init; }

    /// <summary>Another answer to a command (<c>MAIL</c>, <c>RCPT</c>, <c>DATA</c>, <c>.</c> for the end of the data, ...) than the usual one; null: the usual one.</summary>
    public Func<string, string?> Answer { get; set; } = _ => null;

    /// <summary>Awaited before each answer: a server that is slow.</summary>
    public Func<CancellationToken, Task> Delay { get; set; } = _ => Task.CompletedTask;

    /// <summary>What was delivered, in order.</summary>
    public IReadOnlyList<DeliveredMail> Delivered => [.. _delivered];

    /// <summary>The commands, in order, without their arguments.</summary>
    public IReadOnlyList<string> Commands => [.. _commands];

    /// <summary>Of a server with TLS: the PEM of its certificate, which nobody trusts.</summary>
    public string CertificatePem => _certificate!.ExportCertificatePem();

    /// <summary>Starts one.</summary>
    /// <param name="tls">Offers STARTTLS.</param>
    /// <param name="implicitTls">TLS from the first byte.</param>
    /// <param name="user">User that it authenticates.</param>
    /// <param name="password">The user's password.</param>
    public static SmtpServer Start(bool tls = false, bool implicitTls = false, string? user = null, string? password = null) =>
        new(tls, implicitTls) { User = user, Password = password };

    /// <summary>Stops it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _ending.Dispose();
        _certificate?.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_ending.Token));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await TalkAsync(client.GetStream());
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
            {
                // The client has gone, or does not trust us.
            }
        }
    }

    private async Task TalkAsync(Stream stream)
    {
        var encrypted = false;
        if (_implicitTls)
        {
            stream = await EncryptAsync(stream);
            encrypted = true;
        }

        string? user = null;
        var (from, to) = ("", new List<string>());
        await SayAsync(stream, "220 test ready");
        while (await LineAsync(stream) is { } line)
        {
            var verb = line.Split(' ', ':')[0].ToUpperInvariant();
            _commands.Enqueue(verb);
            if (Answer(verb) is { } other)
            {
                await SayAsync(stream, other);
                continue;
            }

            switch (verb)
            {
                case "EHLO":
                    await SayAsync(stream, $"250-test\r\n{(User is null ? "" : "250-AUTH PLAIN\r\n")}{(_certificate is null || encrypted ? "" : "250-STARTTLS\r\n")}250 8BITMIME");
                    break;
                case "STARTTLS" when _certificate is not null && !encrypted:
                    await SayAsync(stream, "220 go on");
                    stream = await EncryptAsync(stream);
                    encrypted = true;
                    break;
                case "AUTH":
                    user = Authenticated(line);
                    await SayAsync(stream, user is null ? "535 wrong" : "235 welcome");
                    break;
                case "MAIL":
                    (from, to) = (Path(line), []);
                    await SayAsync(stream, "250 ok");
                    break;
                case "RCPT":
                    to.Add(Path(line));
                    await SayAsync(stream, "250 ok");
                    break;
                case "DATA":
                    await SayAsync(stream, "354 go on");
                    var data = await DataAsync(stream);
                    if (Answer(".") is { } refusal)
                    {
                        await SayAsync(stream, refusal);
                        break;
                    }

                    _delivered.Enqueue(new DeliveredMail(from, to, data, user, encrypted));
                    await SayAsync(stream, "250 taken");
                    break;
                case "QUIT":
                    await SayAsync(stream, "221 goodbye");
                    return;
                default:
                    await SayAsync(stream, verb is "RSET" or "NOOP" ? "250 ok" : "502 unknown");
                    break;
            }
        }
    }

    private async Task<Stream> EncryptAsync(Stream stream)
    {
        var encrypted = new SslStream(stream);
        await encrypted.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _ending.Token);
        return encrypted;
    }

    private string? Authenticated(string line)
    {
        // AUTH PLAIN <base64 of NUL user NUL password>
        var parts = Encoding.UTF8.GetString(Convert.FromBase64String(line.Split(' ')[2])).Split('\0');
        return parts[1] == User && parts[2] == Password ? parts[1] : null;
    }

    private static string Path(string line) => line.Split('<', 2)[1].Split('>')[0];

    private async Task<string> DataAsync(Stream stream)
    {
        var data = new StringBuilder();
        while (await LineAsync(stream) is { } line && line != ".")
        {
            data.Append(line.StartsWith('.') ? line[1..] : line).Append('\n');
        }

        return data.ToString();
    }

    private async Task SayAsync(Stream stream, string answer)
    {
        await Delay(_ending.Token);
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"{answer}\r\n"), _ending.Token);
        await stream.FlushAsync(_ending.Token);
    }

    // Byte by byte, because what follows STARTTLS is not to be read ahead.
    private async Task<string?> LineAsync(Stream stream)
    {
        var bytes = new List<byte>();
        var one = new byte[1];
        while (await stream.ReadAsync(one, _ending.Token) > 0)
        {
            if (one[0] == '\n')
            {
                return Encoding.UTF8.GetString([.. bytes]).TrimEnd('\r');
            }

            bytes.Add(one[0]);
        }

        return null;
    }
}
