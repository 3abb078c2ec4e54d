namespace Maintenance.WebHost.Passwords;

/// <summary>Has the decoy made while the host starts; nothing waits for it.</summary>
internal sealed class DecoyPreparation(PasswordWork passwords) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken) =>
        await passwords.PrepareAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
