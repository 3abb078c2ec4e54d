using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Archive.PostgresTests.Sessions;

/// <summary>
/// Two hosts on one Redis and one PostgreSQL, in exact orders. The reader's host stops between its read of the archive and what it does with it;
/// nothing whose end was answered may be valid after that, on either host, also when Redis has lost what would have forbidden it.
/// </summary>
public sealed class InterleavingTests(RedisFixture redis, PostgresFixture postgres) : IClassFixture<RedisFixture>, IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly string user = Guid.NewGuid().ToString("D");
    private ArchiveDatabase database = null!;
    private GatedArchive readersArchive = null!;
    private GatedArchive othersArchive = null!;
    private Host reader = null!;
    private Host other = null!;

    public async Task InitializeAsync()
    {
        (_, database) = await ArchiveDatabases.CreateAsync(postgres.Server);
        readersArchive = new GatedArchive(new PostgresSessionArchive(database));
        othersArchive = new GatedArchive(new PostgresSessionArchive(database));
        reader = new Host(redis.Server.Url, readersArchive);
        other = new Host(redis.Server.Url, othersArchive);
    }

    public async Task DisposeAsync()
    {
        await reader.DisposeAsync();
        await other.DisposeAsync();
        await database.DisposeAsync();
    }

    [Theory]
    [InlineData(Loss.None)]
    [InlineData(Loss.Tombstone)]
    [InlineData(Loss.Everything)]
    public async Task ReaderMisses_RevokeCommitsAndDeletes_ReaderRepopulates_AndTheSessionStaysEnded(Loss loss)
    {
        var session = await reader.LogInAsync(user);
        await ForgetAsync(session);
        var (gate, pending) = await ReaderStandsBetweenAsync(session);

        (await other.Store.RevokeAsync(user, session.Token.Id, None)).ToBoolean().ShouldBeTrue();
        await LoseAsync(loss, session);
        gate.Open();

        (await pending).IsValid.ShouldBeFalse();
        await ShouldBeEndedAsync(session);
    }

    [Theory]
    [InlineData(Loss.None)]
    [InlineData(Loss.Generation)]
    [InlineData(Loss.Everything)]
    public async Task ReaderMisses_RevokeAllCommitsAndDeletes_ReaderRepopulates_AndTheSessionStaysEnded(Loss loss)
    {
        var session = await reader.LogInAsync(user);
        await ForgetAsync(session);
        var (gate, pending) = await ReaderStandsBetweenAsync(session);

        await other.Store.RevokeAllAsync(user, null, None);
        await LoseAsync(loss, session);
        gate.Open();

        (await pending).IsValid.ShouldBeFalse();
        await ShouldBeEndedAsync(session);
    }

    [Theory]
    [InlineData(Loss.None)]
    [InlineData(Loss.Tombstone)]
    [InlineData(Loss.Everything)]
    public async Task ReaderMisses_AnotherHostRestoresAndRotates_ReaderRepopulates_AndTheOldIdStaysEnded(Loss loss)
    {
        var session = await reader.LogInAsync(user);
        await ForgetAsync(session);
        var (gate, pending) = await ReaderStandsBetweenAsync(session);

        var rotation = await other.Store.RotateAsync(session.Token.Value, new SessionChanges(), None);
        rotation.Outcome.ShouldBe(RotationOutcome.Rotated);
        // The grace of the old id is over.
        await redis.Server.ExecuteAsync("DEL", reader.RecordKey(session));
        await LoseAsync(loss, session);
        gate.Open();

        (await pending).IsValid.ShouldBeFalse();
        await ShouldBeEndedAsync(session);
        (await reader.IsValidAsync(rotation.Issued!)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(false, Loss.Tombstone)]
    [InlineData(false, Loss.Everything)]
    [InlineData(true, Loss.Generation)]
    [InlineData(true, Loss.Everything)]
    public async Task ReaderHasRepopulatedAndNotYetReadAgain_AndNoOtherHostSeesTheEndedSession(bool all, Loss loss)
    {
        var session = await reader.LogInAsync(user);
        await ForgetAsync(session);
        var (gate, pending) = await ReaderStandsBetweenAsync(session);
        await (all ? other.Store.RevokeAllAsync(user, null, None) : (Task)other.Store.RevokeAsync(user, session.Token.Id, None));
        await LoseAsync(loss, session);
        var again = new Gate();
        readersArchive.AfterFind = again.PassAsync;
        gate.Open();
        await again.ReachedAsync();

        (await other.IsValidAsync(session)).ShouldBeFalse();

        again.Open();
        (await pending).IsValid.ShouldBeFalse();
    }

    [Fact]
    public async Task RevokeIsCommittedButNotYetInRedis_ReaderRestores_AndTheRevocationEndsIt()
    {
        var session = await reader.LogInAsync(user);
        await ForgetAsync(session);
        var (gate, pending) = await ReaderStandsBetweenAsync(session);
        var committed = new Gate();
        othersArchive.AfterRevoke = committed.PassAsync;
        var revocation = other.Store.RevokeAsync(user, session.Token.Id, None);
        await committed.ReachedAsync();

        // Not answered yet: the reader may write, but its second read sees the end.
        gate.Open();
        (await pending).IsValid.ShouldBeFalse();
        committed.Open();

        (await revocation).ToBoolean().ShouldBeTrue();
        await ShouldBeEndedAsync(session);
    }

    [Fact]
    public async Task RevokeAllIsCommittedButNotYetInRedis_ReaderRestores_AndTheRevocationEndsIt()
    {
        var session = await reader.LogInAsync(user);
        await ForgetAsync(session);
        var (gate, pending) = await ReaderStandsBetweenAsync(session);
        var committed = new Gate();
        othersArchive.AfterRevoke = committed.PassAsync;
        var revocation = other.Store.RevokeAllAsync(user, null, None);
        await committed.ReachedAsync();

        gate.Open();
        (await pending).IsValid.ShouldBeFalse();
        committed.Open();

        await revocation;
        await ShouldBeEndedAsync(session);
    }

    [Fact]
    public async Task ReaderRestoresAGeneration_RevokeAllCommits_AndTheOldGenerationIsNotWritten()
    {
        var orphan = await reader.LogInAsync(user);
        // Its record stays and is out of the index, so that revoke-all does not delete it: only the generation ends it.
        await redis.Server.ExecuteAsync("DEL", reader.Keys.SessionIndex(UserReference.Of(user)), reader.GenerationKey(user));
        var (gate, pending) = await ReaderStandsBetweenAsync(orphan, find: 1);

        await other.Store.RevokeAllAsync(user, null, None);
        await LoseAsync(Loss.Generation, orphan);
        gate.Open();

        (await pending).IsValid.ShouldBeFalse();
        await ShouldBeEndedAsync(orphan);
        // The next log-in brings a generation back, and it must not be the orphan's.
        (await other.IsValidAsync(await other.LogInAsync(user))).ShouldBeTrue();
        await ShouldBeEndedAsync(orphan);
    }

    [Fact]
    public async Task SessionIsRevokedBeforeItsOwnRowIsWritten_AndDoesNotComeBack()
    {
        var gate = new Gate();
        readersArchive.BeforeAdd = gate.PassAsync;
        var login = reader.LogInAsync(user);
        await gate.ReachedAsync();

        // It is in Redis already, so that a list shows it.
        var seen = (await other.Redis.ListAsync(user, None)).ShouldHaveSingleItem();
        (await other.Store.RevokeAsync(user, seen.Id, None)).ToBoolean().ShouldBeTrue();
        gate.Open();

        await ShouldBeEndedAsync(await login);
    }

    [Fact]
    public async Task EverythingIsRevokedBeforeASessionsRowIsWritten_AndItDoesNotComeBack()
    {
        await reader.LogInAsync(user);
        var gate = new Gate();
        readersArchive.BeforeAdd = gate.PassAsync;
        var login = reader.LogInAsync(user);
        await gate.ReachedAsync();

        await other.Store.RevokeAllAsync(user, null, None);
        gate.Open();

        await ShouldBeEndedAsync(await login);
    }

    [Fact]
    public async Task RotatedSessionIsRevokedBeforeItsRowIsWritten_AndTheRotationIsDenied()
    {
        var session = await reader.LogInAsync(user);
        var gate = new Gate();
        readersArchive.BeforeComplete = gate.PassAsync;
        var rotating = reader.Store.RotateAsync(session.Token.Value, new SessionChanges(), None);
        await gate.ReachedAsync();

        // A log-out with the old id is one of the session.
        (await other.Store.RevokeAsync(user, session.Token.Id, None)).ToBoolean().ShouldBeTrue();
        gate.Open();

        var rotation = await rotating;
        rotation.Outcome.ShouldBe(RotationOutcome.Denied);
        (await other.Store.ListAsync(user, None)).ShouldBeEmpty();
        await redis.Server.FlushAllAsync();
        (await other.Store.ListAsync(user, None)).ShouldBeEmpty();
        await ShouldBeEndedAsync(session);
    }

    [Fact]
    public async Task TwoReadersAtOnce_BothGetTheirSessionBack()
    {
        var session = await reader.LogInAsync(user);
        await ForgetAsync(session);
        var (gate, pending) = await ReaderStandsBetweenAsync(session);

        (await other.IsValidAsync(session)).ShouldBeTrue();
        gate.Open();

        (await pending).IsValid.ShouldBeTrue();
        (await redis.Server.IntegerAsync("ZCARD", reader.Keys.SessionIndex(UserReference.Of(user)))).ShouldBe(1);
    }

    private Task<object?> ForgetAsync(IssuedSession session) =>
        redis.Server.ExecuteAsync("DEL", reader.RecordKey(session), reader.Keys.SessionIndex(UserReference.Of(user)));

    // Of a session that Redis does not know the first look is one without a fence, and the second the one that counts.
    private async Task<(Gate Gate, Task<SessionValidation> Pending)> ReaderStandsBetweenAsync(IssuedSession session, int find = 2)
    {
        var gate = new Gate();
        var finds = 0;
        readersArchive.AfterFind = () => ++finds >= find ? gate.PassAsync() : Task.CompletedTask;
        var pending = reader.Store.ValidateAsync(session.Token.Value, None);
        await gate.ReachedAsync();
        return (gate, pending);
    }

    private Task LoseAsync(Loss loss, IssuedSession session) => loss switch
    {
        Loss.Tombstone => redis.Server.ExecuteAsync("DEL", reader.TombstoneKey(session)),
        Loss.Generation => redis.Server.ExecuteAsync("DEL", reader.GenerationKey(user)),
        Loss.Everything => redis.Server.FlushAllAsync(),
        _ => Task.CompletedTask,
    };

    private async Task ShouldBeEndedAsync(IssuedSession session)
    {
        readersArchive.AfterFind = null;
        foreach (var loss in new[] { Loss.None, Loss.Tombstone, Loss.Generation, Loss.Everything })
        {
            await LoseAsync(loss, session);
            (await reader.IsValidAsync(session)).ShouldBeFalse($"after losing {loss}");
            (await other.IsValidAsync(session)).ShouldBeFalse($"after losing {loss}");
        }
    }

    public enum Loss
    {
        None,
        Tombstone,
        Generation,
        Everything,
    }
}
