using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <summary>Validations of the same moment go out together, and each still hears of its own session only. Alone on its server, because it counts commands.</summary>
public sealed class SessionReadQueueTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private const int Many = 600;

    [Fact]
    public async Task ManyValidationsAtOnce_ShareFlushes_AndEachHearsOfItsOwnSession()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var sessions = await Task.WhenAll(Enumerable.Range(0, Many).Select(_ => harness.LogInAsync(StoreHarness.NewUserId())));
        foreach (var session in sessions.Where((_, i) => i % 3 == 0))
        {
            await harness.Store.RevokeAsync(session.Session.UserId, session.Token.Id, default);
        }

        foreach (var session in sessions.Where((_, i) => i % 3 == 1))
        {
            await redis.Server.ExecuteAsync("INCR", harness.GenerationKey(session.Session.UserId));
        }

        await redis.Server.ExecuteAsync("CONFIG", "RESETSTAT");
        var validations = await Task.WhenAll(sessions.Select(harness.ValidateAsync).ToList());

        for (var i = 0; i < Many; i++)
        {
            validations[i].IsValid.ShouldBe(i % 3 == 2);
            (validations[i].Denial == (i % 3 == 0 ? SessionDenial.NotFound : SessionDenial.Revoked)).ShouldBe(i % 3 != 2);
            validations[i].Session?.UserId.ShouldBe(sessions[i].Session.UserId);
        }

        (await redis.Server.CallsAsync("mget")).ShouldBeInRange(Many / 256, Many / 2);
        (await redis.Server.CallsAsync("pttl")).ShouldBe(Many);
    }

    [Fact]
    public async Task RevocationThatWasAnswered_IsSeenByEveryReadAskedForAfterIt()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        await using var other = new StoreHarness(redis.Server.Url);
        using var stopped = new CancellationTokenSource();
        var noise = await harness.LogInAsync(StoreHarness.NewUserId());
        var busy = Enumerable.Range(0, 32).Select(_ => Task.Run(async () =>
        {
            while (!stopped.IsCancellationRequested)
            {
                await harness.ValidateAsync(noise);
            }
        })).ToList();

        for (var i = 0; i < 200; i++)
        {
            var session = await other.LogInAsync(StoreHarness.NewUserId());
            (await harness.ValidateAsync(session)).IsValid.ShouldBeTrue();
            await other.Store.RevokeAsync(session.Session.UserId, session.Token.Id, default);
            (await harness.ValidateAsync(session)).IsValid.ShouldBeFalse();
        }

        await stopped.CancelAsync();
        await Task.WhenAll(busy);
    }

    [Fact]
    public async Task FlushThatFails_FailsForEveryCaller()
    {
        await using var server = await RedisServer.StartAsync();
        await using var patient = new StoreHarness(server.Url);
        await using var harness = new StoreHarness(server.Url, deadline: TimeSpan.FromMilliseconds(500));
        var session = await patient.LogInAsync(StoreHarness.NewUserId());
        await Eventually.TrueAsync(async () => (await harness.ValidateAsync(session)).IsValid);
        await server.PauseAsync();

        var calls = Enumerable.Range(0, 50).Select(_ => harness.ValidateAsync(session)).ToList();
        foreach (var call in calls)
        {
            await Should.ThrowAsync<StorageUnavailableException>(() => call);
        }

        await server.ResumeAsync();
        await Eventually.TrueAsync(async () => (await harness.ValidateAsync(session)).IsValid);
    }

    [Fact]
    public async Task CallerThatGivesUp_LeavesTheOthersTheirAnswers()
    {
        var turn = new TaskCompletionSource();
        await using var connection = new RedisConnection(StoreHarness.Patient(redis.Server.Url), TimeProvider.System, NullLogger.Instance)
        {
            BeforeCall = () => turn.Task,
        };
        await using var harness = new StoreHarness(redis.Server.Url);
        var session = await harness.LogInAsync(StoreHarness.NewUserId());
        var queue = new SessionReadQueue(connection, harness.Keys);
        using var impatient = new CancellationTokenSource();
        var user = UserReference.Of(session.Session.UserId);
        var gone = queue.ReadAsync(user, session.Token.Id, impatient.Token);
        var stays = queue.ReadAsync(user, session.Token.Id, default);

        await impatient.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => gone);
        turn.SetResult();
        (await stays).Record.ShouldNotBeNull();
    }
}
