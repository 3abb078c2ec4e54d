using System.Globalization;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;
using StackExchange.Redis;

namespace Maintenance.Worker.ForeignLayouts;

/// <summary>Looks again at what does not match, on the primary, and mends it.</summary>
internal sealed class ForeignRepair(RedisConnection connection, KeySpace space, bool cluster)
{
    private static readonly RedisScript Script = RedisScript.Load(typeof(ForeignRepair).Assembly, "ForeignLayouts/mend_member.lua");

    private bool Sorted => space.Options.IndexType == IndexType.SortedSet;

    /// <summary>Whether it is still so. Plain reads in one flush.</summary>
    public Task<bool> IsStillSoAsync(ForeignSuspect suspect, CancellationToken cancellationToken) =>
        connection.CallAsync(
            async database =>
            {
                var now = ServerClock.NowAsync(database);
                var score = ScoreAsync(database, suspect);
                var life = database.ExecuteAsync("PTTL", (RedisKey)suspect.SessionKey(space));
                return IsStillSo(suspect, await score, (long)await life, await now);
            },
            cancellationToken,
            KeyspaceScan.DeadlineOf(connection));

    /// <summary>Mends it, if it is still so.</summary>
    /// <returns>Whether it was.</returns>
    public async Task<bool> MendAsync(ForeignSuspect suspect, CancellationToken cancellationToken)
    {
        var (index, session) = (suspect.IndexKey(space), suspect.SessionKey(space));
        if (!cluster || HashSlot.Of(index) == HashSlot.Of(session))
        {
            return await RunAsync(suspect, [index, session], null, cancellationToken);
        }

        // Two nodes have no script in common: look, act, and look once more. What turned round in between is turned round here too.
        var life = await LifeAsync(session, cancellationToken);
        if (!await RunAsync(suspect, [index], life, cancellationToken))
        {
            return false;
        }

        var after = await LifeAsync(session, cancellationToken);
        var undo = suspect.Drift switch
        {
            ForeignDrift.Dangling or ForeignDrift.Expired when after != ForeignValue.Gone => suspect with { Drift = ForeignDrift.Missing, Score = double.NaN },
            ForeignDrift.Missing when after == ForeignValue.Gone => suspect with { Drift = ForeignDrift.Dangling, Score = await ScoreNowAsync(suspect, cancellationToken) },
            _ => null,
        };
        if (undo is null || (undo.Drift == ForeignDrift.Missing && !space.CanPutBack))
        {
            return true;
        }

        await RunAsync(undo, [index], after, cancellationToken);
        return false;
    }

    private async Task<bool> RunAsync(ForeignSuspect suspect, RedisKey[] keys, long? life, CancellationToken cancellationToken)
    {
        var what = suspect.Drift switch
        {
            ForeignDrift.Dangling or ForeignDrift.Expired => "remove",
            ForeignDrift.Missing => "add",
            _ => "score",
        };
        var answer = await connection.EvaluateAsync(
            Script,
            keys,
            [
                Sorted ? "zset" : "set",
                what,
                suspect.Member,
                double.IsNaN(suspect.Score) ? "" : suspect.Score.ToString("R", CultureInfo.InvariantCulture),
                space.ScoresExpiry ? (RedisValue)space.MillisecondsPerScore : "",
                (long)space.Options.ScoreTolerance.TotalMilliseconds,
                space.Options.IndexExpires ? "1" : "0",
                life ?? 0,
            ],
            cancellationToken,
            KeyspaceScan.DeadlineOf(connection));
        return (string?)answer == "done";
    }

    private bool IsStillSo(ForeignSuspect suspect, double? score, long life, long now) => suspect.Drift switch
    {
        ForeignDrift.Dangling or ForeignDrift.Expired => life == ForeignValue.Gone && score is { } found && (!Sorted || found.Equals(suspect.Score)),
        ForeignDrift.Missing => life != ForeignValue.Gone && score is null,
        _ => life >= 0 && score is { } found && found.Equals(suspect.Score) && space.Differs(found, now + life),
    };

    // Null when it is no member; of a set 0 says that it is.
    private async Task<double?> ScoreAsync(IDatabaseAsync database, ForeignSuspect suspect)
    {
        var key = suspect.IndexKey(space);
        return Sorted
            ? await database.SortedSetScoreAsync(key, suspect.Member)
            : await database.SetContainsAsync(key, suspect.Member) ? 0 : null;
    }

    private async Task<double> ScoreNowAsync(ForeignSuspect suspect, CancellationToken cancellationToken) =>
        Sorted ? await connection.CallAsync(database => ScoreAsync(database, suspect), cancellationToken, KeyspaceScan.DeadlineOf(connection)) ?? double.NaN : double.NaN;

    private async Task<long> LifeAsync(string session, CancellationToken cancellationToken) =>
        (long)await connection.CallAsync(database => database.ExecuteAsync("PTTL", (RedisKey)session), cancellationToken, KeyspaceScan.DeadlineOf(connection));
}
