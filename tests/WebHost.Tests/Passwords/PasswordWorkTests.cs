using Maintenance.WebHost.Passwords;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Tests.Passwords;

public sealed class PasswordWorkTests
{
    [Fact]
    public async Task Check_CostsOneComparison_WhetherThereIsAUserAHashOrNothing()
    {
        var hasher = new CountingHasher();
        using var threads = Threads(new PasswordSettings());
        var work = new PasswordWork(hasher, threads, Rounds(1000));
        await work.PrepareAsync(default);

        foreach (var user in (User?[])[new User { PasswordHash = "hash of right" }, new User { PasswordHash = null }, null])
        {
            hasher.Compared.Clear();
            (await work.CheckAsync(user, "wrong", default)).Matches.ShouldBeFalse();
            hasher.Compared.Count.ShouldBe(1);
        }

        (await work.CheckAsync(new User { PasswordHash = "hash of right" }, "right", default)).Matches.ShouldBeTrue();
    }

    [Fact]
    public async Task Decoy_IsMadeAtTheStart_SoThatNoRequestPaysForIt()
    {
        var hasher = new CountingHasher();
        using var threads = Threads(new PasswordSettings());
        var work = new PasswordWork(hasher, threads, Rounds(1000));
        using var preparation = new DecoyPreparation(work);

        await preparation.StartAsync(default);
        await preparation.ExecuteTask!;
        hasher.Hashed.ShouldBe(1);

        await work.CheckAsync(null, "anything", default);
        hasher.Hashed.ShouldBe(1);
    }

    [Fact]
    public async Task Check_NeverMatches_WithoutAHash_AlsoWhenTheDecoyIsMet()
    {
        using var threads = Threads(new PasswordSettings());
        var work = new PasswordWork(new AgreeingHasher(), threads, Rounds(1000));
        (await work.CheckAsync(null, "anything", default)).Matches.ShouldBeFalse();
        (await work.CheckAsync(new User(), "anything", default)).Matches.ShouldBeFalse();
    }

    [Fact]
    public async Task Check_ThatFails_CostsTheRoundsOfTheStrongestHash_WhateverTheStoredOneHas()
    {
        using var threads = Threads(new PasswordSettings());
        var spent = new List<int>();
        var work = new PasswordWork(new PasswordHasher<User>(Rounds(3000)), threads, Rounds(3000), (_, rounds) => spent.Add(rounds));
        var older = new User { PasswordHash = new PasswordHasher<User>(Rounds(1000)).HashPassword(new(), "right") };
        var oldest = new User { PasswordHash = new PasswordHasher<User>(Options.Create(new PasswordHasherOptions { CompatibilityMode = PasswordHasherCompatibilityMode.IdentityV2 })).HashPassword(new(), "right") };
        var stronger = new User { PasswordHash = new PasswordHasher<User>(Rounds(5000)).HashPassword(new(), "right") };

        (await SpentAsync(null, "wrong")).ShouldBe([]);
        (await SpentAsync(older, "wrong")).ShouldBe([2000]);
        (await SpentAsync(oldest, "wrong")).ShouldBe([3000]);
        (await SpentAsync(older, "right")).ShouldBe([], "who knows the password may notice");
        // The setting was higher once.
        (await SpentAsync(stronger, "wrong")).ShouldBe([]);
        (await SpentAsync(null, "wrong")).ShouldBe([2000]);
        (await SpentAsync(older, "wrong")).ShouldBe([4000]);

        async Task<int[]> SpentAsync(User? user, string password)
        {
            spent.Clear();
            (await work.CheckAsync(user, password, default)).Matches.ShouldBe(password == "right");
            return [.. spent];
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("hash of right")]
    [InlineData("AAAAAAAAAAAAAAAA")]
    [InlineData("AQAAAAIAA")]
    public void Rounds_AreNone_OfAnotherFormat(string hash) => PasswordWork.RoundsOf(hash).ShouldBe(0);

    [Fact]
    public void Rounds_AreRead() => PasswordWork.RoundsOf(new PasswordHasher<User>(Rounds(123_456)).HashPassword(new(), "x")).ShouldBe(123_456);

    [Fact]
    public async Task Run_IsRefusedAtOnce_WhenTheQueueIsFull_AndWorksAgainAfterwards()
    {
        using var threads = Threads(new PasswordSettings { MaxParallelHashes = 1, MaxWaitingHashes = 2 });
        using var gate = new ManualResetEventSlim();
        using var started = new SemaphoreSlim(0);
        var running = threads.RunAsync(() => { started.Release(); gate.Wait(); return 1; }, default);
        (await started.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeTrue();
        var waiting = new[] { threads.RunAsync(() => 2, default), threads.RunAsync(() => 3, default) };

        await Should.ThrowAsync<HashingSaturatedException>(() => threads.RunAsync(() => 4, default));

        gate.Set();
        (await running).ShouldBe(1);
        (await Task.WhenAll(waiting)).ShouldBe([2, 3]);
        (await threads.RunAsync(() => 5, default)).ShouldBe(5);
    }

    [Fact]
    public async Task Run_IsRefused_WhenItsTurnCameTooLate_AndTheWorkIsNotDone()
    {
        var clock = new Testing.ManualTimeProvider();
        using var threads = new HashingThreads(Options.Create(new PasswordSettings { MaxParallelHashes = 1, HashQueueTimeout = TimeSpan.FromSeconds(1) }), clock);
        using var gate = new ManualResetEventSlim();
        using var started = new SemaphoreSlim(0);
        var running = threads.RunAsync(() => { started.Release(); gate.Wait(); return 1; }, default);
        (await started.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeTrue();
        var done = false;
        var late = threads.RunAsync(() => done = true, default);

        clock.Advance(TimeSpan.FromSeconds(2));
        gate.Set();

        await Should.ThrowAsync<HashingSaturatedException>(() => late);
        done.ShouldBeFalse();
        await running;
    }

    [Fact]
    public async Task Run_NeverExceedsItsThreads()
    {
        using var threads = Threads(new PasswordSettings { MaxParallelHashes = 2, MaxWaitingHashes = 100 });
        int now = 0, most = 0;
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => threads.RunAsync(
            () =>
            {
                var running = Interlocked.Increment(ref now);
                InterlockedMax(ref most, running);
                Thread.SpinWait(20_000);
                return Interlocked.Decrement(ref now);
            },
            default)));
        most.ShouldBeInRange(1, 2);
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); value > seen; seen = Volatile.Read(ref target))
        {
            Interlocked.CompareExchange(ref target, value, seen);
        }
    }

    private static IOptions<PasswordHasherOptions> Rounds(int rounds) => Options.Create(new PasswordHasherOptions { IterationCount = rounds });

    // Its clock stands: no turn comes too late on a busy machine.
    private static HashingThreads Threads(PasswordSettings settings) => new(Options.Create(settings), new Testing.ManualTimeProvider());

    private sealed class CountingHasher : IPasswordHasher<User>
    {
        public List<string> Compared { get; } = [];

        public int Hashed { get; private set; }

        public string HashPassword(User user, string password)
        {
            Hashed++;
            return $"hash of {password}";
        }

        public PasswordVerificationResult VerifyHashedPassword(User user, string hashedPassword, string providedPassword)
        {
            Compared.Add(hashedPassword);
            return hashedPassword == $"hash of {providedPassword}" ? PasswordVerificationResult.Success : PasswordVerificationResult.Failed;
        }
    }

    private sealed class AgreeingHasher : IPasswordHasher<User>
    {
        public string HashPassword(User user, string password) => "x";

        public PasswordVerificationResult VerifyHashedPassword(User user, string hashedPassword, string providedPassword) => PasswordVerificationResult.Success;
    }
}
