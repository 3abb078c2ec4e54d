using Maintenance.WebHost.Hosting;

namespace Maintenance.WebHost.Mail;

/// <summary>A message to one person.</summary>
/// <exception cref="ArgumentException">The address is none, or the subject is more than one line: nothing of either may become a header of its own.</exception>
internal sealed record Email
{
    public Email(string kind, string to, string subject, string text)
    {
        if (!MailAddressAttribute.IsAddress(to))
        {
            throw new ArgumentException("Not an e-mail address.", nameof(to));
        }

        if (subject.Any(char.IsControl))
        {
            throw new ArgumentException("A subject is one line.", nameof(subject));
        }

        (Kind, To, Subject, Text) = (kind, to, subject, text);
    }

    /// <summary>What it is, for logs: a fixed name such as <c>password_reset</c>.</summary>
    public string Kind { get; }

    /// <summary>The address.</summary>
    public string To { get; }

    /// <summary>One line.</summary>
    public string Subject { get; }

    /// <summary>Plain text; it may hold a link with a token, so it goes to no log of a production host.</summary>
    public string Text { get; }
}

/// <summary>Delivers mail.</summary>
internal interface IEmailSender
{
    /// <summary>Delivers one message; any exception but <see cref="MailRefusedException"/> may be gone at another try.</summary>
    /// <exception cref="MailRefusedException">It is refused for good.</exception>
    Task SendAsync(Email email, CancellationToken cancellationToken);
}

/// <summary>A message that could not be delivered now. The text says why, without anybody's address or password.</summary>
internal sealed class MailDeferredException : Exception
{
    public MailDeferredException()
    {
    }

    public MailDeferredException(string message)
        : base(message)
    {
    }

    public MailDeferredException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>A message that will not be taken, however often it is tried. The text says why, without anybody's address.</summary>
internal sealed class MailRefusedException : Exception
{
    public MailRefusedException()
    {
    }

    public MailRefusedException(string message)
        : base(message)
    {
    }

    public MailRefusedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
