using Maintenance.Testing;
using Maintenance.WebHost.Mail;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.Tests.Mail;

public sealed class OutboxTests : IAsyncDisposable
{
    private static readonly Email Message = new("password_reset", "ann@example.com", "Hello", "text with a token");
    private static readonly Email Notice = new("password_changed", "bob@example.com", "Hello", "text");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ManualTimeProvider clock = new();
    private readonly LogCollector logs = new();
    private readonly ScriptedSender sender = new();
    private readonly ServiceProvider services;
    private readonly Outbox outbox;

    public OutboxTests()
    {
        services = new ServiceCollection().AddSingleton<IEmailSender>(sender).BuildServiceProvider();
        outbox = new Outbox(services.GetRequiredService<IServiceScopeFactory>(), clock, logs.For<Outbox>());
    }

    public async ValueTask DisposeAsync()
    {
        outbox.Dispose();
        await services.DisposeAsync();
        logs.Dispose();
    }

    [Fact]
    public async Task Post_ComposesOnce_AndDeliversAgainLater_WhenItIsDeferred()
    {
        sender.Failures = 2;
        var composed = 0;
        await outbox.StartAsync(default);

        outbox.Post(Message.Kind, (_, _) => Task.FromResult<Email?>(++composed > 0 ? Message : null));

        foreach (var pause in Outbox.Pauses.Take(2))
        {
            await Eventually.TrueAsync(() => clock.PendingTimers == 1, Patience);
            clock.Advance(pause - TimeSpan.FromMilliseconds(1));
            clock.PendingTimers.ShouldBe(1, "not before its time");
            clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        await Eventually.TrueAsync(() => sender.Sent.Count == 1, Patience);
        (sender.Tries, composed).ShouldBe((3, 1));
        logs.WithEvent(3200).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Post_GivesUp_AfterItsTries_AndSaysSoWithoutTheMessage()
    {
        sender.Failures = int.MaxValue;
        await outbox.StartAsync(default);

        outbox.Post(Message.Kind, (_, _) => Task.FromResult<Email?>(Message));

        foreach (var pause in Outbox.Pauses)
        {
            await Eventually.TrueAsync(() => clock.PendingTimers == 1, Patience);
            clock.Advance(pause);
        }

        await Eventually.TrueAsync(() => logs.WithEvent(3204).Count == 1, Patience);
        sender.Tries.ShouldBe(Outbox.Pauses.Length + 1);
        logs.Entries.ShouldAllBe(entry => !entry.Message.Contains("token") && !entry.Message.Contains("ann@"));
    }

    [Fact]
    public async Task Post_TriesNoMore_WhatIsRefusedForGood()
    {
        sender.Refused = true;
        await outbox.StartAsync(default);

        outbox.Post(Message.Kind, (_, _) => Task.FromResult<Email?>(Message));

        await Eventually.TrueAsync(() => logs.WithEvent(3203).Count == 1, Patience);
        (sender.Tries, clock.PendingTimers).ShouldBe((1, 0));
    }

    [Fact]
    public async Task Post_DeliversTheOthers_WhileOneWaitsForItsNextTry()
    {
        sender.Failures = 4;
        await outbox.StartAsync(default);
        for (var i = 0; i < 8; i++)
        {
            outbox.Post(Message.Kind, (_, _) => Task.FromResult<Email?>(Message));
        }

        await Eventually.TrueAsync(() => sender.Sent.Count == 4 && clock.PendingTimers == 4, Patience);
    }

    [Fact]
    public async Task Stop_DeliversWhatWaits_AndNamesWhatItCannot()
    {
        var gate = new TaskCompletionSource();
        sender.Gate = gate.Task;
        await outbox.StartAsync(default);
        for (var i = 0; i < 20; i++)
        {
            outbox.Post(Message.Kind, (_, _) => Task.FromResult<Email?>(Message));
        }

        var stopping = outbox.StopAsync(default);
        stopping.IsCompleted.ShouldBeFalse();
        gate.SetResult();
        await stopping.WaitAsync(Patience);

        sender.Sent.Count.ShouldBe(20);
        outbox.Post(Message.Kind, (_, _) => Task.FromResult<Email?>(Message)).ShouldBeFalse();
        logs.WithEvent(3202).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Notices_ToOwners_LeaveBeforeWhatStrangersAskFor()
    {
        var gate = new TaskCompletionSource();
        await outbox.StartAsync(default);
        for (var i = 0; i < 100; i++)
        {
            outbox.Post("password_reset", async (_, stop) =>
            {
                await gate.Task.WaitAsync(stop);
                return Message;
            });
        }

        outbox.Tell(Notice);

        await Eventually.TrueAsync(() => sender.Sent.Count == 1, Patience);
        sender.Sent[0].ShouldBe(Notice);
        gate.SetResult();
        await Eventually.TrueAsync(() => sender.Sent.Count == 101, Patience);
    }

    [Fact]
    public async Task Notice_HasItsNextTry_HoweverMuchWaitsThatStrangersAskedFor()
    {
        const int room = 10_000;
        const int batch = 1_000;
        sender.Failures = int.MaxValue;
        await outbox.StartAsync(default);
        for (var posted = 0; posted < room; posted += batch)
        {
            for (var i = 0; i < batch; i++)
            {
                outbox.Post(Message.Kind, (_, _) => Task.FromResult<Email?>(Message));
            }

            await Eventually.TrueAsync(() => clock.PendingTimers == posted + batch, Patience);
        }

        outbox.Post(Message.Kind, (_, _) => Task.FromResult<Email?>(Message));
        await Eventually.TrueAsync(() => logs.WithEvent(3202).Count == 1, Patience, "there is no room for another one of these");
        outbox.Tell(Notice);
        await Eventually.TrueAsync(() => clock.PendingTimers == room + 1, Patience);

        sender.Failures = 0;
        await outbox.StopAsync(default).WaitAsync(Patience);
        sender.Sent.ShouldContain(Notice);
    }

    [Fact]
    public async Task Stop_TriesOnceMore_WhatWaitsForItsNextTry()
    {
        sender.Failures = 2;
        await outbox.StartAsync(default);
        outbox.Tell(Notice);
        outbox.Post(Message.Kind, (_, _) => Task.FromResult<Email?>(Message));
        await Eventually.TrueAsync(() => clock.PendingTimers == 2, Patience);

        await outbox.StopAsync(default).WaitAsync(Patience);

        sender.Sent.ShouldBe([Notice, Message], ignoreOrder: true);
        logs.WithEvent(3202).ShouldBeEmpty();
    }

    [Fact]
    public async Task Stop_EndsWhenItsTimeIsOver()
    {
        sender.Gate = new TaskCompletionSource().Task;
        await outbox.StartAsync(default);
        for (var i = 0; i < 10; i++)
        {
            outbox.Post(Message.Kind, (_, _) => Task.FromResult<Email?>(Message));
        }

        using var over = new CancellationTokenSource();
        var stopping = outbox.StopAsync(over.Token);
        await over.CancelAsync();
        await stopping.WaitAsync(Patience);

        // The end waits for no worker: one may have taken a message and not come to its try yet.
        await Eventually.TrueAsync(() => outbox.ExecuteTask!.IsCompleted, Patience);
        logs.WithEvent(3202).Count.ShouldBe(10 - sender.Tries);
    }

    private sealed class ScriptedSender : IEmailSender
    {
        private readonly Lock gate = new();
        private readonly List<Email> sent = [];

        public int Failures { get; set; }

        public bool Refused { get; set; }

        public Task Gate { get; set; } = Task.CompletedTask;

        public int Tries { get; private set; }

        public IReadOnlyList<Email> Sent
        {
            get
            {
                lock (gate)
                {
                    return [.. sent];
                }
            }
        }

        public async Task SendAsync(Email email, CancellationToken cancellationToken)
        {
            lock (gate)
            {
                Tries++;
                if (Refused)
                {
                    throw new MailRefusedException("the server answered 550");
                }

                if (Failures > 0)
                {
                    Failures--;
                    throw new MailDeferredException("the server answered 450");
                }
            }

            await Gate.WaitAsync(cancellationToken);
            lock (gate)
            {
                sent.Add(email);
            }
        }
    }
}
