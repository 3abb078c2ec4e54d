using Maintenance.Testing;
using Maintenance.WebHost.Mail;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.Tests.Mail;

/// <summary>A mail server that takes connections and says nothing, on loopback; the clock is the test's.</summary>
public sealed class HangingServerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestTry = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task ServerThatHangs_CostsATryItsTimeout_HoldsUpNoNotice_AndLosesNothing()
    {
        const int messages = 12;
        const int hanging = 8;
        var hung = 0;
        await using var server = SmtpServer.Start();
        server.Delay = stop => Interlocked.Increment(ref hung) <= hanging ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop) : Task.CompletedTask;
        using var logs = new LogCollector();
        var clock = new ManualTimeProvider();
        var settings = new MailOptions { Host = "127.0.0.1", Port = server.Port, Tls = MailTls.None, From = "no-reply@example.com", Timeout = LongestTry };
        var tries = new CountingSender(new SmtpEmailSender(new FixedOptions<MailOptions>(settings), clock));
        await using var services = new ServiceCollection().AddSingleton<IEmailSender>(tries).BuildServiceProvider();
        using var outbox = new Outbox(services.GetRequiredService<IServiceScopeFactory>(), clock, logs.For<Outbox>());
        await outbox.StartAsync(default);

        for (var i = 0; i < messages; i++)
        {
            var email = new Email("password_reset", $"user{i}@example.com", "Hello", "text");
            outbox.Post(email.Kind, (_, _) => Task.FromResult<Email?>(email)).ShouldBeTrue();
        }

        // Four at once. The timer of each is the end of its try. A try ends after the server has the message: the clock stands until all are over that should be.
        await Eventually.TrueAsync(() => Volatile.Read(ref hung) == 4 && clock.PendingTimers == 4, Patience);
        clock.Advance(LongestTry);
        // The next four hang; the first four wait for another try.
        await Eventually.TrueAsync(() => tries.Ended == 4 && Volatile.Read(ref hung) == hanging && clock.PendingTimers == hanging, Patience);

        outbox.Tell(new Email("password_changed", "owner@example.com", "Hello", "text"));
        await Eventually.TrueAsync(() => tries.Ended == 4 + 1 && clock.PendingTimers == hanging, Patience);
        server.Delivered[0].To.ShouldBe(["owner@example.com"]);

        clock.Advance(LongestTry);
        await Eventually.TrueAsync(() => tries.Ended == 1 + messages + 4 && clock.PendingTimers == 4, Patience);
        server.Delivered.Count.ShouldBe(1 + messages - 4);
        clock.Advance(Outbox.Pauses[0]);
        await Eventually.TrueAsync(() => server.Delivered.Count == 1 + messages, Patience);

        server.Delivered.SelectMany(mail => mail.To).ShouldBeUnique();
        logs.WithEvent(3200).Count.ShouldBe(hanging);
        logs.WithEvent(3200).ShouldAllBe(entry => entry.Message.Contains("Mail:Timeout", StringComparison.Ordinal));
        await outbox.StopAsync(default).WaitAsync(Patience);
    }

    private sealed class CountingSender(IEmailSender inner) : IEmailSender
    {
        private int _ended;

        /// <summary>Tries that are over, whatever came of them.</summary>
        public int Ended => Volatile.Read(ref _ended);

        public async Task SendAsync(Email email, CancellationToken cancellationToken)
        {
            try
            {
                await inner.SendAsync(email, cancellationToken);
            }
            finally
            {
                Interlocked.Increment(ref _ended);
            }
        }
    }
}
