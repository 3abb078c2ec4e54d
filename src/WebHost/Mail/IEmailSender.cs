namespace Maintenance.WebHost.Mail;

/// <summary>A message to one person.</summary>
/// <param name="Kind">What it is, for logs and metrics: a fixed name such as <c>password_reset</c>.</param>
/// <param name="To">The address.</param>
/// <param name="Subject">One line.</param>
/// <param name="Text">Plain text; it may hold a link with a token, so it goes to no log of a production host.</param>
internal sealed record Email(string Kind, string To, string Subject, string Text);

/// <summary>Delivers mail.</summary>
internal interface IEmailSender
{
    Task SendAsync(Email email, CancellationToken cancellationToken);
}
