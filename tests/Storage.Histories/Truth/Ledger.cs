using System.Text;
using Maintenance.Storage.Histories.Generation;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Histories.Truth;

/// <summary>Everything that was called and answered, in order, and what follows from it for each session.</summary>
internal sealed class Ledger(TimeProvider timeProvider, TimeSpan grace)
{
    // Redis expires on its own clock and in whole milliseconds; both readings are of one machine.
    private static readonly TimeSpan ClockSlack = TimeSpan.FromMilliseconds(50);

    private readonly Lock gate = new();
    private readonly List<Act> acts = [];
    private readonly List<TrackedSession> sessions = [];
    private readonly List<(long Position, string Line)> lines = [];
    private long position;

    /// <summary>Life of sessions made by <see cref="OperationKind.CreateShort"/>; the shortest that the store takes.</summary>
    public static TimeSpan ShortLife { get; } = TimeSpan.FromSeconds(1);

    public IReadOnlyList<TrackedSession> Sessions
    {
        get
        {
            lock (gate)
            {
                return [.. sessions];
            }
        }
    }

    public Act Call(string client, OperationKind kind, int user, TrackedSession? target = null)
    {
        lock (gate)
        {
            var act = new Act
            {
                Client = client,
                Kind = kind,
                User = user,
                Target = target,
                Called = ++position,
                CalledAt = timeProvider.GetTimestamp(),
            };
            acts.Add(act);
            lines.Add((position, $"{act} ..."));
            return act;
        }
    }

    public void Answer(Act act, string answer, bool done = true)
    {
        lock (gate)
        {
            act.Answered = ++position;
            act.AnsweredAt = timeProvider.GetTimestamp();
            act.Done = done;
            act.Answer = answer;
            lines.Add((position, $"{act} -> {answer}"));
        }
    }

    public TrackedSession Born(Act birth, SessionToken token, TrackedSession? parent = null)
    {
        lock (gate)
        {
            var session = new TrackedSession { Number = sessions.Count, User = birth.User, Token = token, Birth = birth, Parent = parent };
            sessions.Add(session);
            return session;
        }
    }

    public void Note(string line)
    {
        lock (gate)
        {
            lines.Add((++position, line));
        }
    }

    /// <summary>Why the session was certainly dead when the act was called; null if it need not have been.</summary>
    public Act? CertainEnd(TrackedSession session, Act asked)
    {
        lock (gate)
        {
            return acts.Find(act => act != asked && act.Answered < asked.Called && act.Done && Ended(act, session, asked.CalledAt));
        }
    }

    /// <summary>What may have ended the session before the act was answered; null if nothing can have.</summary>
    public Act? PossibleEnd(TrackedSession session, Act asked)
    {
        lock (gate)
        {
            return acts.Find(act => act != asked && act.Called < (asked.Answered ?? long.MaxValue) && MayHaveEnded(act, session, asked.AnsweredAt));
        }
    }

    /// <summary>Acts on a user, or on one of its sessions, of the given kinds, called after a position.</summary>
    public bool Happened(int user, long since, params ReadOnlySpan<OperationKind> kinds)
    {
        lock (gate)
        {
            foreach (var act in acts)
            {
                if (act.User == user && act.Called > since && kinds.Contains(act.Kind))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Acts on the session itself.</summary>
    public IReadOnlyList<Act> Of(TrackedSession session, OperationKind kind)
    {
        lock (gate)
        {
            return acts.FindAll(act => act.Kind == kind && act.Target == session);
        }
    }

    public long Now()
    {
        lock (gate)
        {
            return position;
        }
    }

    public bool WasRotated(TrackedSession session) => Of(session, OperationKind.Rotate).Any(act => act.Done);

    /// <summary>Sessions that left their member behind, because nothing of ours ended them.</summary>
    public bool MayLeaveMember(TrackedSession session)
    {
        lock (gate)
        {
            return session.Root.Birth.Kind == OperationKind.CreateShort || acts.Exists(act => act.Kind switch
            {
                OperationKind.Expire or OperationKind.EvictRecord => act.Target == session,
                OperationKind.EvictGeneration => act.User == session.User,
                _ => false,
            });
        }
    }

    public override string ToString()
    {
        lock (gate)
        {
            var text = new StringBuilder();
            foreach (var (at, line) in lines)
            {
                text.Append($"{at,4}  {line}\n");
            }

            return text.ToString();
        }
    }

    private bool Ended(Act act, TrackedSession session, long at)
    {
        switch (act.Kind)
        {
            case OperationKind.Revoke:
                return act.Target == session || act.Target!.IsBelow(session) || (session.IsBelow(act.Target) && AliasesWereAlive(act.Target, session, act));
            case OperationKind.RevokeAll:
            case OperationKind.EvictGeneration:
                return act.User == session.User && session.Root.Birth.Answered < act.Called;
            case OperationKind.RevokeAllExcept:
                return act.User == session.User && session.Root.Birth.Answered < act.Called && !act.Target!.IsInChainOf(session);
            case OperationKind.Expire:
            case OperationKind.EvictRecord:
                return act.Target == session || act.Target!.IsBelow(session);
            case OperationKind.Rotate:
                return act.Target == session && !acts.Exists(other => other.Kind == OperationKind.LoseTtl && other.Target == session)
                    && timeProvider.GetElapsedTime(act.AnsweredAt, at) > grace + ClockSlack;
            case OperationKind.CreateShort:
                return session.Root.Birth == act && timeProvider.GetElapsedTime(act.AnsweredAt, at) > ShortLife + ClockSlack;
            default:
                return false;
        }
    }

    private bool MayHaveEnded(Act act, TrackedSession session, long at)
    {
        switch (act.Kind)
        {
            case OperationKind.Revoke:
                return act.Target!.IsInChainOf(session);
            case OperationKind.RevokeAll:
            case OperationKind.EvictGeneration:
                return act.User == session.User;
            case OperationKind.RevokeAllExcept:
                // The kept session itself lives on; a rotated id does not, and what a rotated id stands for only while it still does.
                return act.User == session.User && (act.Target != session || acts.Exists(other => other.Kind == OperationKind.Rotate && other.Target == session));
            case OperationKind.Expire:
            case OperationKind.EvictRecord:
                return act.Target == session || act.Target!.IsBelow(session);
            case OperationKind.Rotate:
                return act.Target == session && timeProvider.GetElapsedTime(act.CalledAt, at) >= grace - ClockSlack;
            case OperationKind.CreateShort:
                return session.Root.Birth == act && timeProvider.GetElapsedTime(act.CalledAt, at) >= ShortLife - ClockSlack;
            default:
                return false;
        }
    }

    // A log-out with an old id ends its successor while each id between them still stands for the next.
    private bool AliasesWereAlive(TrackedSession old, TrackedSession successor, Act revocation)
    {
        for (var id = successor.Parent; id is not null; id = id == old ? null : id.Parent)
        {
            var rotation = acts.Find(act => act.Kind == OperationKind.Rotate && act.Target == id && act.Done)!;
            if (timeProvider.GetElapsedTime(rotation.CalledAt, revocation.AnsweredAt) >= grace - ClockSlack
                || acts.Exists(act => act != revocation && act.Called < revocation.Answered && act.Target == id
                    && act.Kind is OperationKind.Revoke or OperationKind.Expire or OperationKind.EvictRecord))
            {
                return false;
            }
        }

        return true;
    }
}
