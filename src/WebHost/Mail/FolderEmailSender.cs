using System.Globalization;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Mail;

/// <summary>Writes each message to a file of its own, for Development and tests: <c>&lt;time&gt;-&lt;kind&gt;-&lt;random&gt;.eml</c>, headers, an empty line, the text.</summary>
internal sealed class FolderEmailSender(IOptionsMonitor<MailOptions> options, TimeProvider clock, ILogger<FolderEmailSender> logger) : IEmailSender
{
    public const string DefaultFolder = "mail";

    public async Task SendAsync(Email email, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(options.CurrentValue.Folder is { Length: > 0 } set ? set : DefaultFolder).FullName;
        var name = $"{clock.GetUtcNow().ToString("yyyyMMdd'T'HHmmssfff", CultureInfo.InvariantCulture)}-{email.Kind}-{Guid.NewGuid():N}.eml";
        var unfinished = Path.Combine(folder, name + ".part");
        await File.WriteAllTextAsync(
            unfinished, $"From: {options.CurrentValue.Sender}\nTo: {email.To}\nSubject: {email.Subject}\n\n{email.Text}\n", cancellationToken);
        File.Move(unfinished, Path.Combine(folder, name));
        logger.MailWritten(email.Kind, name);
    }
}
