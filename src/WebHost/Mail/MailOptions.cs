using Maintenance.WebHost.Hosting;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Mail;

/// <summary>How mail leaves. Bound from <c>Mail</c>.</summary>
internal sealed class MailOptions
{
    public const string Section = "Mail";

    /// <summary>Host of the SMTP server. None: mail is written to <see cref="Folder"/>, which only Development does by itself.</summary>
    public string? Host { get; set; }

    /// <summary>Port of the SMTP server. Default 587.</summary>
    public int Port { get; set; } = 587;

    /// <summary>STARTTLS; a server that does not offer it gets no mail. Default true.</summary>
    public bool StartTls { get; set; } = true;

    public string? User { get; set; }

    public string? Password { get; set; }

    /// <summary>Sender. Default <c>no-reply@localhost</c>.</summary>
    public string From { get; set; } = "no-reply@localhost";

    /// <summary>Folder for mail when there is no server. Default in Development: <c>mail</c> beside the working directory.</summary>
    public string? Folder { get; set; }

    /// <summary>Longest time for one message. 1 s to 5 min; default 15 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Where people reach the pages that links lead to. Never taken from a request. Default <c>http://localhost:8080</c>.</summary>
    public string PublicUrl { get; set; } = "http://localhost:8080";
}

internal sealed class MailOptionsValidator : IValidateOptions<MailOptions>
{
    public ValidateOptionsResult Validate(string? name, MailOptions options)
    {
        var failures = new SettingFailures(MailOptions.Section);
        failures.Check(options.Port is >= 1 and <= 65535, "Port", $"is {options.Port}; expected 1 to 65535");
        failures.Check(MailAddressAttribute.IsAddress(options.From), "From", $"is '{options.From}'; expected an e-mail address");
        failures.Check(options.Timeout >= TimeSpan.FromSeconds(1) && options.Timeout <= TimeSpan.FromMinutes(5), "Timeout", $"is {options.Timeout}; expected 1 s to 5 min");
        failures.Check(
            Uri.TryCreate(options.PublicUrl, UriKind.Absolute, out var url) && url.Scheme is "http" or "https",
            "PublicUrl",
            $"is '{options.PublicUrl}'; expected an http or https URL");
        failures.Check(string.IsNullOrEmpty(options.Password) || !string.IsNullOrEmpty(options.User), "User", "is not set, but Mail:Password is");
        return failures.Result;
    }
}
