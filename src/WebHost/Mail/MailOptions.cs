using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Maintenance.WebHost.Hosting;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Mail;

/// <summary>How the connection to the mail server is encrypted.</summary>
internal enum MailTls
{
    /// <summary>Begins in clear and turns to TLS before anything is said; a server that does not offer it gets no mail. Ports 587 and 25.</summary>
    StartTls,

    /// <summary>TLS from the first byte. Port 465.</summary>
    Implicit,

    /// <summary>In clear: for a relay on the same machine or network.</summary>
    None,
}

/// <summary>How mail leaves. Bound from <c>Mail</c>.</summary>
internal sealed class MailOptions
{
    public const string Section = "Mail";

    /// <summary>Host of the SMTP server. None: mail is written to <see cref="Folder"/>, which only Development does by itself.</summary>
    public string? Host { get; set; }

    /// <summary>Port of the SMTP server. Default 587.</summary>
    public int Port { get; set; } = 587;

    /// <summary>Encryption. Default <see cref="MailTls.StartTls"/>.</summary>
    public MailTls Tls { get; set; }

    /// <summary>PEM file with the authorities that may have signed the server's certificate. None: the system's.</summary>
    public string? CaFile { get; set; }

    public string? User { get; set; }

    public string? Password { get; set; }

    /// <summary>Sender. Required with <see cref="Host"/>, except in Development; else <c>no-reply@localhost</c>.</summary>
    public string? From { get; set; }

    /// <summary>Name shown beside the sender's address; none by default.</summary>
    public string? FromName { get; set; }

    /// <summary>Folder for mail when there is no server. Default in Development: <c>mail</c> beside the working directory.</summary>
    public string? Folder { get; set; }

    /// <summary>Longest time for one message, connecting included. 1 s to 5 min; default 15 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Where people reach the pages that links lead to. Never taken from a request. Required with <see cref="Host"/>, except in Development, and then https
    /// unless it is this machine; else <c>http://localhost:8080</c>.
    /// </summary>
    public string? PublicUrl { get; set; }

    /// <summary>The sender's address.</summary>
    internal string Sender => string.IsNullOrEmpty(From) ? "no-reply@localhost" : From;

    /// <summary>Where links lead, without a slash at the end.</summary>
    internal string Site => string.IsNullOrEmpty(PublicUrl) ? "http://localhost:8080" : PublicUrl.TrimEnd('/');

    /// <summary>Whether the server is on this machine, so that nobody listens between.</summary>
    internal bool IsLocal => Host is "localhost" || (System.Net.IPAddress.TryParse(Host, out var address) && System.Net.IPAddress.IsLoopback(address));
}

internal sealed class MailOptionsValidator(IHostEnvironment environment) : IValidateOptions<MailOptions>
{
    public ValidateOptionsResult Validate(string? name, MailOptions options)
    {
        var failures = new SettingFailures(MailOptions.Section);
        failures.Check(
            string.IsNullOrEmpty(options.Host) || Uri.CheckHostName(options.Host) != UriHostNameType.Unknown, "Host", $"is '{options.Host}'; expected a host name or an IP address");
        failures.Check(options.Port is >= 1 and <= 65535, "Port", $"is {options.Port}; expected 1 to 65535");
        failures.Check(Enum.IsDefined(options.Tls), "Tls", $"is {options.Tls}; expected StartTls, Implicit or None");
        failures.Check(string.IsNullOrEmpty(options.CaFile) || HasCertificates(options.CaFile), "CaFile", $"is '{options.CaFile}'; expected a PEM file with certificates");
        failures.Check(MailAddressAttribute.IsAddress(options.Sender), "From", $"is '{options.From}'; expected an e-mail address");
        failures.Check(options.FromName is null || (options.FromName.Length <= 128 && !options.FromName.Any(char.IsControl)), "FromName", "is longer than 128 characters, or more than one line");
        failures.Check(options.Timeout >= TimeSpan.FromSeconds(1) && options.Timeout <= TimeSpan.FromMinutes(5), "Timeout", $"is {options.Timeout}; expected 1 s to 5 min");
        CheckPublicUrl(options, failures);
        failures.Check(string.IsNullOrEmpty(options.Password) || !string.IsNullOrEmpty(options.User), "User", "is not set, but Mail:Password is");
        failures.Check(
            options.Tls != MailTls.None || string.IsNullOrEmpty(options.User) || options.IsLocal,
            "Tls",
            "is None, but Mail:User is set and Mail:Host is another machine: the password would be sent in clear");
        return failures.Result;
    }

    // Mail that leaves reaches other people's machines: links to localhost, or in clear, with a token that resets a password, are of no use there.
    private void CheckPublicUrl(MailOptions options, SettingFailures failures)
    {
        var leaves = !string.IsNullOrEmpty(options.Host) && !environment.IsDevelopment();
        failures.Check(!leaves || !string.IsNullOrEmpty(options.From), "From", "is not set, but Mail:Host is; name the sender that people shall see");
        if (leaves && string.IsNullOrEmpty(options.PublicUrl))
        {
            failures.Check(false, "PublicUrl", "is not set, but Mail:Host is; name where people reach the pages that links in mail lead to, for example https://auth.example.org");
            return;
        }

        var isUrl = Uri.TryCreate(options.Site, UriKind.Absolute, out var url) && url.Scheme is "http" or "https";
        failures.Check(isUrl, "PublicUrl", $"is '{options.PublicUrl}'; expected an http or https URL");
        failures.Check(
            !isUrl || !leaves || url!.Scheme == Uri.UriSchemeHttps || url.IsLoopback,
            "PublicUrl",
            $"is '{options.PublicUrl}'; links in mail hold tokens, so expected https (http only for this machine)");
    }

    private static bool HasCertificates(string file)
    {
        try
        {
            var found = new X509Certificate2Collection();
            found.ImportFromPemFile(file);
            return found.Count > 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return false;
        }
    }
}
