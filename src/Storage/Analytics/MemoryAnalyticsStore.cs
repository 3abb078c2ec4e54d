using System.Collections.Immutable;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Analytics;

/// <summary>Activity and log-ins of one host. At its cap it lets go of what expires soonest; a day's users are then counted twice if they return.</summary>
public sealed class MemoryAnalyticsStore : IAnalyticsStore, IDisposable
{
    private readonly InMemorySessionStore sessions;
    private readonly IOptionsMonitor<AnalyticsOptions> options;
    private readonly TimeProvider timeProvider;
    private readonly ExpiringMap<(UserReference User, SessionId Id), ImmutableList<string>> activities;
    private readonly ExpiringMap<UserReference, Known> users;
    private readonly ExpiringMap<(DateOnly Day, UserReference User), bool> seen;
    private readonly ExpiringMap<DateOnly, (long Logins, long Users)> days;

    /// <summary>Creates an empty store.</summary>
    public MemoryAnalyticsStore(InMemorySessionStore sessions, IOptionsMonitor<AnalyticsOptions> options, IOptions<MemoryOptions> bounds, TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(bounds);
        (this.sessions, this.options, this.timeProvider) = (sessions, options, timeProvider);
        activities = new(bounds.Value.MaxEntriesPerKind, timeProvider, bounds.Value.SweepInterval, WhenFull.DropSoonest);
        users = new(bounds.Value.MaxEntriesPerKind, timeProvider, bounds.Value.SweepInterval, WhenFull.DropSoonest);
        seen = new(bounds.Value.MaxEntriesPerKind, timeProvider, bounds.Value.SweepInterval, WhenFull.DropSoonest);
        days = new(bounds.Value.MaxEntriesPerKind, timeProvider, bounds.Value.SweepInterval, WhenFull.DropSoonest);
    }

    private long Now => timeProvider.GetUtcNow().ToUnixTimeMilliseconds();

    /// <inheritdoc/>
    public Task<bool> RecordLoginAsync(Session session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        cancellationToken.ThrowIfCancellationRequested();
        var (user, current) = (UserReference.Of(session.UserId), options.CurrentValue);
        var started = session.CreatedAt.ToUnixTimeMilliseconds();
        bool recorded;
        lock (sessions.Users.Gate(user))
        {
            recorded = sessions.Holds(user, session.Id);
            if (recorded)
            {
                Change(user, known => LoggedIn(known, session, started, current));
            }
        }

        var day = DateOnly.FromDateTime(session.CreatedAt.UtcDateTime);
        var isNew = seen.Add((day, user), value: true, current.DayLife) == MapAddition.Added;
        days.Compute(day, (isNew, current.DayLife), static (ref MapSlot<(long Logins, long Users)> slot, (bool IsNew, TimeSpan Life) state) =>
            slot.TrySet((slot.Value.Logins + 1, slot.Value.Users + (state.IsNew ? 1 : 0)), state.Life));
        return Task.FromResult(recorded);
    }

    /// <inheritdoc/>
    public Task<bool> RecordEndAsync(string userId, SessionId? id, SessionId? except, CancellationToken cancellationToken)
    {
        var (kind, rest) = SessionEvents.End(id, except);
        return PushAsync(userId, kind, rest, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> RecordRotationAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken) =>
        GoOnAsync(SessionEvents.Rotated, userId, from, to, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RecordContinuationAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken) =>
        GoOnAsync(SessionEvents.Continued, userId, from, to, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RecordActivityAsync(string userId, SessionId id, string action, string? detail, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var user = UserReference.Of(userId);
        var state = (Text: $"{Now}:{SessionEvents.Activity(id, action, detail)}", Options: options.CurrentValue);
        lock (sessions.Users.Gate(user))
        {
            return Task.FromResult(sessions.Holds(user, id) && activities.Compute(
                (user, id), state, static (ref MapSlot<ImmutableList<string>> slot, (string Text, AnalyticsOptions Options) state) =>
                    slot.TrySet(Pushed(slot.Value ?? [], state.Text, state.Options.ActivitiesPerSession), state.Options.ActivityLife)));
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<SessionActivity>> GetActivitiesAsync(string userId, SessionId id, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var list = activities.TryGet((UserReference.Of(userId), id), out var found) ? found : [];
        return Task.FromResult<IReadOnlyList<SessionActivity>>([.. list.Select(SessionEvents.ReadActivity).OfType<SessionActivity>()]);
    }

    /// <inheritdoc/>
    public async Task<UserAnalytics> GetUserAsync(string userId, CancellationToken cancellationToken)
    {
        var known = users.TryGet(UserReference.Of(userId), out var found) ? found : Known.Nothing;
        var live = await sessions.ListAsync(userId, cancellationToken).ConfigureAwait(false);
        return new UserAnalytics(
            live.Count,
            known.Total,
            known.Total == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(known.Last),
            [.. known.Devices.OrderByDescending(pair => pair.Value).Select(pair => new SeenDevice(pair.Key, DateTimeOffset.FromUnixTimeMilliseconds(pair.Value)))],
            SessionEvents.Past(known.Events, live, options.CurrentValue.PastSessions));
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<DayAnalytics>> GetDaysAsync(DateOnly first, DateOnly last, CancellationToken cancellationToken)
    {
        SessionEvents.CheckDays(first, last);
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult<IReadOnlyList<DayAnalytics>>([.. Enumerable.Range(0, last.DayNumber - first.DayNumber + 1).Select(first.AddDays).Select(day =>
            days.TryGet(day, out var found) ? new DayAnalytics(day, found.Logins, found.Users) : new DayAnalytics(day, 0, 0))]);
    }

    /// <summary>The activities of a user's sessions.</summary>
    internal IReadOnlyDictionary<SessionId, IReadOnlyList<SessionActivity>> ActivitiesOf(UserReference user) => activities.Snapshot()
        .Where(entry => entry.Key.User == user)
        .ToDictionary(
            entry => entry.Key.Id, IReadOnlyList<SessionActivity> (entry) => [.. entry.Value.Select(SessionEvents.ReadActivity).OfType<SessionActivity>()]);

    /// <summary>Forgets a user; how many entries there were. To be called with the user's gate held.</summary>
    internal long EraseUser(UserReference user) => activities.RemoveWhere((key, _) => key.User == user) + (users.Remove(user) ? 1 : 0);

    /// <summary>Ends the sweeps.</summary>
    public void Dispose()
    {
        activities.Dispose();
        users.Dispose();
        seen.Dispose();
        days.Dispose();
    }

    private static Known LoggedIn(Known known, Session session, long started, AnalyticsOptions current)
    {
        var devices = session.DeviceName is { Length: > 0 } device ? known.Devices.SetItem(device, started) : known.Devices;
        return known with
        {
            Total = known.Total + 1,
            Last = Math.Max(known.Last, started),
            Devices = devices.Count <= current.DevicesPerUser ? devices : devices.Remove(devices.MinBy(pair => pair.Value).Key),
            Events = Pushed(known.Events, $"L:{started}:{SessionEvents.Login(session)}", current.EventsKept),
        };
    }

    private Task<bool> GoOnAsync(string kind, string userId, SessionId from, SessionId to, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        if (activities.TryGet((user, from), out var list, out var left))
        {
            activities.TrySet((user, to), list, left);
            activities.Remove((user, from));
        }

        return PushAsync(userId, kind, SessionEvents.Pair(from, to), cancellationToken);
    }

    private Task<bool> PushAsync(string userId, string kind, string rest, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (user, text) = (UserReference.Of(userId), $"{kind}:{Now}:{rest}");
        lock (sessions.Users.Gate(user))
        {
            if (!users.TryGet(user, out _))
            {
                return Task.FromResult(false);
            }

            Change(user, known => known with { Events = Pushed(known.Events, text, options.CurrentValue.EventsKept) });
            return Task.FromResult(true);
        }
    }

    private void Change(UserReference user, Func<Known, Known> change) =>
        users.Compute(user, (change, options.CurrentValue.UserLife), static (ref MapSlot<Known> slot, (Func<Known, Known> Change, TimeSpan Life) state) =>
            slot.TrySet(state.Change(slot.Value ?? Known.Nothing), state.Life));

    private static ImmutableList<string> Pushed(ImmutableList<string> newestFirst, string text, int kept)
    {
        var list = newestFirst.Insert(0, text);
        return list.Count > kept ? list.RemoveRange(kept, list.Count - kept) : list;
    }

    private sealed record Known(long Total, long Last, ImmutableDictionary<string, long> Devices, ImmutableList<string> Events)
    {
        public static readonly Known Nothing = new(0, 0, ImmutableDictionary.Create<string, long>(StringComparer.Ordinal), []);
    }
}
