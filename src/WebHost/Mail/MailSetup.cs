using Maintenance.WebHost.Hosting;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Mail;

internal static class MailSetup
{
    public static IServiceCollection AddMail(this IServiceCollection services, IHostEnvironment environment)
    {
        services.AddSettings<MailOptions, MailOptionsValidator>(MailOptions.Section);
        services.AddOptions<MailOptions>().Validate(
            mail => !string.IsNullOrEmpty(mail.Host) || !string.IsNullOrEmpty(mail.Folder) || environment.IsDevelopment(),
            "Mail:Host is not set, so no mail could leave; set it, or set Mail:Folder to have messages written there.");
        services.AddSingleton<SmtpEmailSender>();
        services.AddSingleton<FolderEmailSender>();
        services.AddSingleton<IEmailSender>(provider => string.IsNullOrEmpty(provider.GetRequiredService<IOptions<MailOptions>>().Value.Host)
            ? provider.GetRequiredService<FolderEmailSender>()
            : provider.GetRequiredService<SmtpEmailSender>());
        services.AddSingleton<Outbox>();
        return services.AddHostedService(provider => provider.GetRequiredService<Outbox>());
    }
}
