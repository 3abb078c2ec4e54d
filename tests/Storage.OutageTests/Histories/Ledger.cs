using System.Diagnostics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.OutageTests.Histories;

/// <summary>A promise was broken.</summary>
internal sealed class ViolationException(string message) : Exception(message);

/// <summary>A session as the history knows it, under all the ids that it has had.</summary>
internal sealed class TrackedSession(int user, int host, int life, IssuedSession issued, bool inMemory, long began)
{
    public int User { get; } = user;

    /// <summary>Where it was born.</summary>
    public int Host { get; } = host;

    /// <summary>Which process of that host it was.</summary>
    public int HostLife { get; } = life;

    public bool BornInMemory { get; } = inMemory;

    /// <summary>The moment before it was asked for.</summary>
    public long Began { get; } = began;

    /// <summary>The moment at which it was answered.</summary>
    public long Answered { get; set; } = long.MaxValue;

    public DateTimeOffset CreatedAt { get; } = issued.Session.CreatedAt;

    public List<SessionToken> Tokens { get; } = [issued.Token];

    /// <summary>Nobody can say any more whether it should be alive.</summary>
    public bool Doubtful { get; set; } = inMemory;
}

/// <summary>A revocation that was answered with success.</summary>
/// <param name="Host">Where.</param>
/// <param name="User">Whose.</param>
/// <param name="Session">Which one; null: all of the user.</param>
/// <param name="Known">How many ids it had then. An id that another host gives it while the revocation waits is not reached by it, as the documents say.</param>
/// <param name="Outcome">How it was answered.</param>
/// <param name="Began">The moment before it was asked for.</param>
/// <param name="Answered">The moment of the answer.</param>
internal sealed record Claim(int Host, int User, TrackedSession? Session, int Known, RevocationOutcome Outcome, long Began, long Answered)
{
    public bool Covers(TrackedSession session, int at) => Session is null
        ? session.User == User && session.Answered < Began
        : ReferenceEquals(session, Session) && (Outcome == RevocationOutcome.Done || at < Known);
}

/// <summary>What was said, in the order in which it was said.</summary>
/// <param name="latestCall">How late a call without an answer may still come. Sessions that begin within it after such a call are doubtful.</param>
internal sealed class Ledger(TimeSpan latestCall)
{
    private readonly Lock gate = new();
    private readonly List<TrackedSession> sessions = [];
    private readonly List<Claim> claims = [];
    private readonly List<long> losses = [];
    private readonly List<string> trace = [];
    private readonly Dictionary<int, long> late = [];
    private long moment;

    public IReadOnlyList<TrackedSession> Sessions => Locked(() => sessions.ToList());

    public string Trace => Locked(() => string.Join("\n  ", trace));

    public long Now() => Interlocked.Increment(ref moment);

    public void Write(string line) => Locked(() => trace.Add(line));

    public void Add(TrackedSession session) => Locked(() =>
    {
        session.Answered = Now();
        session.Doubtful |= late.TryGetValue(session.User, out var doubted) && Stopwatch.GetElapsedTime(doubted) < latestCall;
        sessions.Add(session);
    });

    public void Add(Func<long, Claim> claim) => Locked(() => claims.Add(claim(Now())));

    /// <summary>Redis has lost what it held.</summary>
    public void Lose() => Locked(() =>
    {
        losses.Add(Now());
        sessions.ForEach(session => session.Doubtful = true);
    });

    /// <summary>Nobody knows what became of a call that concerned a user's sessions.</summary>
    /// <param name="user">Whose.</param>
    /// <param name="mayComeLate">
    /// It may still be on its way: in the client of a host that stands still, or to be sent once more with its script's text. Then it ends also what begins by then.
    /// </param>
    public void Doubt(int user, bool mayComeLate) => Locked(() =>
    {
        sessions.Where(session => session.User == user).ToList().ForEach(session => session.Doubtful = true);
        if (mayComeLate)
        {
            late[user] = Stopwatch.GetTimestamp();
        }
    });

    /// <summary>A claim on this host by which a session must not be valid for a call that began at a moment; null if there is none.</summary>
    public Claim? EndedOn(int host, TrackedSession session, int at, long began) =>
        Locked(() => claims.FirstOrDefault(claim => claim.Host == host && claim.Answered < began && claim.Covers(session, at)));

    /// <summary>A claim anywhere by which a session must not be valid now that every host has replayed; null if there is none.</summary>
    public Claim? EndedAnywhere(TrackedSession session, int at) =>
        Locked(() => claims.FirstOrDefault(claim => claim.Covers(session, at) && !IsForgotten(claim, session)));

    // What another host held in memory when Redis lost the revocation that it had taken; the documents say so.
    private bool IsForgotten(Claim claim, TrackedSession session) =>
        session.BornInMemory && claim.Host != session.Host && losses.Exists(loss => loss > claim.Began);

    /// <summary>Whether a session may not have been ended by anything that happened.</summary>
    public bool MustLive(TrackedSession session) => Locked(() => !session.Doubtful && !claims.Exists(claim => claim.Session is null
        ? claim.User == session.User && claim.Answered > session.Began
        : ReferenceEquals(claim.Session, session)));

    private T Locked<T>(Func<T> work)
    {
        lock (gate)
        {
            return work();
        }
    }

    private void Locked(Action work)
    {
        lock (gate)
        {
            work();
        }
    }
}
