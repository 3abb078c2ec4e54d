using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.Analytics;

/// <summary>Activity and log-ins in Redis. What is of a user lies in the user's slot, a day's two keys in one of their own.</summary>
public sealed class RedisAnalyticsStore(
    RedisConnection connection, RedisKeys keys, RedisSessionStore sessions, IOptionsMonitor<AnalyticsOptions> options) : IAnalyticsStore
{
    private static readonly RedisScript Login = Load("login");
    private static readonly RedisScript Push = Load("push");
    private static readonly RedisScript Activity = Load("activity");
    private static readonly RedisScript Day = Load("day");

    /// <inheritdoc/>
    public async Task<bool> RecordLoginAsync(Session session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        var (user, current) = (UserReference.Of(session.UserId), options.CurrentValue);
        var day = DateOnly.FromDateTime(session.CreatedAt.UtcDateTime);
        RedisKey[] ofUser = [keys.UserStats(user), keys.UserDevices(user), keys.UserHistory(user), keys.Session(user, session.Id)];
        RedisValue[] login =
        [
            session.CreatedAt.ToUnixTimeMilliseconds(), SessionEvents.Login(session), session.DeviceName ?? "",
            current.DevicesPerUser, current.EventsKept, Milliseconds(current.UserLife),
        ];
        var replies = await connection.CallAsync(
            database => Task.WhenAll(
                Login.EvaluateAsync(database, ofUser, login),
                Day.EvaluateAsync(database, [keys.DayLogins(day), keys.DayUsers(day)], [user.Value, Milliseconds(current.DayLife)])),
            cancellationToken).ConfigureAwait(false);
        return (int)replies[0] == 1;
    }

    /// <inheritdoc/>
    public Task<bool> RecordEndAsync(string userId, SessionId? id, SessionId? except, CancellationToken cancellationToken)
    {
        var (kind, rest) = SessionEvents.End(id, except);
        return PushAsync([keys.UserHistory(UserReference.Of(userId))], kind, rest, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> RecordRotationAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken) =>
        GoOnAsync(SessionEvents.Rotated, userId, from, to, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RecordContinuationAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken) =>
        GoOnAsync(SessionEvents.Continued, userId, from, to, cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> RecordActivityAsync(string userId, SessionId id, string action, string? detail, CancellationToken cancellationToken)
    {
        var (user, current) = (UserReference.Of(userId), options.CurrentValue);
        return (int)await connection.EvaluateAsync(
            Activity,
            [keys.SessionActivity(user, id), keys.Session(user, id)],
            [SessionEvents.Activity(id, action, detail), current.ActivitiesPerSession, Milliseconds(current.ActivityLife)],
            cancellationToken).ConfigureAwait(false) == 1;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<SessionActivity>> GetActivitiesAsync(string userId, SessionId id, CancellationToken cancellationToken)
    {
        var key = keys.SessionActivity(UserReference.Of(userId), id);
        var texts = await connection.CallAsync(database => database.ListRangeAsync(key), cancellationToken).ConfigureAwait(false);
        return [.. texts.Select(text => SessionEvents.ReadActivity(text.ToString())).OfType<SessionActivity>()];
    }

    /// <inheritdoc/>
    public async Task<UserAnalytics> GetUserAsync(string userId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        // History first: a session that begins after it was read is not in it, and so not taken for a past one.
        var (totals, devices, history) = await connection.CallAsync(
            async database =>
            {
                var read = database.HashGetAsync(keys.UserStats(user), ["total", "last"]);
                var seen = database.SortedSetRangeByRankWithScoresAsync(keys.UserDevices(user), order: Order.Descending);
                var events = database.ListRangeAsync(keys.UserHistory(user));
                await Task.WhenAll(read, seen, events).ConfigureAwait(false);
                return (await read.ConfigureAwait(false), await seen.ConfigureAwait(false), await events.ConfigureAwait(false));
            },
            cancellationToken).ConfigureAwait(false);
        var live = await sessions.ListAsync(userId, cancellationToken).ConfigureAwait(false);
        return new UserAnalytics(
            live.Count,
            totals[0].IsNull ? 0 : (long)totals[0],
            totals[1].IsNull ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)totals[1]),
            [.. devices.Select(device => new SeenDevice(device.Element.ToString(), DateTimeOffset.FromUnixTimeMilliseconds((long)device.Score)))],
            SessionEvents.Past(history.Select(text => text.ToString()), live, options.CurrentValue.PastSessions));
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<DayAnalytics>> GetDaysAsync(DateOnly first, DateOnly last, CancellationToken cancellationToken)
    {
        SessionEvents.CheckDays(first, last);
        var days = Enumerable.Range(0, last.DayNumber - first.DayNumber + 1).Select(first.AddDays);
        return await connection.CallAsync(
            database => Task.WhenAll(days.Select(async day =>
            {
                var logins = database.StringGetAsync(keys.DayLogins(day));
                var users = database.HyperLogLogLengthAsync(keys.DayUsers(day));
                await Task.WhenAll(logins, users).ConfigureAwait(false);
                return new DayAnalytics(day, (long)await logins.ConfigureAwait(false), await users.ConfigureAwait(false));
            })),
            cancellationToken).ConfigureAwait(false);
    }

    private Task<bool> GoOnAsync(string kind, string userId, SessionId from, SessionId to, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        return PushAsync(
            [keys.UserHistory(user), keys.SessionActivity(user, from), keys.SessionActivity(user, to)], kind, SessionEvents.Pair(from, to), cancellationToken);
    }

    private async Task<bool> PushAsync(RedisKey[] names, string kind, string rest, CancellationToken cancellationToken)
    {
        var current = options.CurrentValue;
        return (int)await connection.EvaluateAsync(
            Push, names, [kind + ":", rest, current.EventsKept, Milliseconds(current.UserLife)], cancellationToken).ConfigureAwait(false) == 1;
    }

    private static long Milliseconds(TimeSpan life) => (long)Math.Ceiling(life.TotalMilliseconds);

    private static RedisScript Load(string name) => RedisScript.Load(typeof(RedisAnalyticsStore).Assembly, $"Analytics/{name}.lua");
}
