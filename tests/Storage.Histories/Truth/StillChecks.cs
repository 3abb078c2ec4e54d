using Maintenance.Storage.Histories.Generation;
using Maintenance.Storage.Histories.Running;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Histories.Truth;

/// <summary>What must hold while no client is at work.</summary>
internal sealed class StillChecks(World world)
{
    // The tolerance of the repairs is 2 s.
    private const long ToleranceMilliseconds = 3_000;

    // Younger than this, a session that was about to run out may have done so between two reads.
    private const long AboutToEndMilliseconds = 2_000;

    private long lastPass;

    /// <summary>Before any pass: the store's own scripts must have kept sessions and indexes together.</summary>
    public void Check(Snapshot store)
    {
        foreach (var (name, life) in store.Lives)
        {
            if (life == -1 && world.Keys.TryParse(name, out var key) && !Damaged(key.User, OperationKind.LoseTtl))
            {
                throw new ViolationException(ViolationKind.KeyWithoutTtl, Readable(name));
            }
        }

        foreach (var session in store.Live)
        {
            if (!store.Members.ContainsKey(session) && !RanOutMeanwhile(store, session) && !Damaged(session.User, OperationKind.EvictIndex, OperationKind.SkewScore))
            {
                throw new ViolationException(ViolationKind.LiveSessionNotInIndex, $"{Readable(session)} lives, is not in its index, and nobody damaged that");
            }
        }

        var known = world.Ledger.Sessions.ToDictionary(session => (world.References[session.User], session.Token.Id));
        var live = store.Live.ToHashSet();
        foreach (var member in store.Members.Keys)
        {
            if (!live.Contains(member) && !(known.TryGetValue(member, out var session) && world.Ledger.MayLeaveMember(session)))
            {
                throw new ViolationException(ViolationKind.GhostInIndex, $"the index holds {Readable(member)}, which was ended properly");
            }
        }
    }

    /// <summary>After a pass of both jobs: everything agrees, and nothing that lived before it is gone.</summary>
    public void CheckAfterPass(Snapshot before, Snapshot after)
    {
        lastPass = world.Ledger.Now();
        var live = after.Live.ToHashSet();
        foreach (var session in before.Live)
        {
            if (!live.Contains(session) && Life(before, session) is < 0 or > AboutToEndMilliseconds)
            {
                throw new ViolationException(ViolationKind.PassEndedSession, Readable(session));
            }
        }

        foreach (var (name, life) in after.Lives)
        {
            Require(life != -1, $"{Readable(name)} has no TTL");
        }

        foreach (var member in after.Members.Keys)
        {
            Require(live.Contains(member) || AboutToEnd(before, member), $"the index holds {Readable(member)}, which does not live");
        }

        foreach (var session in after.Records.Keys)
        {
            Require(live.Contains(session), $"the record of {Readable(session)} is of another generation than its user's");
            var life = Life(after, session);
            if (life <= AboutToEndMilliseconds)
            {
                continue;
            }

            Require(after.Members.TryGetValue(session, out var score), $"{Readable(session)} is not in its index");
            Require(Math.Abs(after.Now + life - score) <= ToleranceMilliseconds, $"{Readable(session)} ends in {life} ms, its score says {score - after.Now} ms");
            Require(after.Lives[world.Keys.Generation(session.User)] >= life - ToleranceMilliseconds, $"the generation ends before {Readable(session)}");
        }

        foreach (var index in after.Members.GroupBy(member => member.Key.User))
        {
            var life = after.Lives[world.Keys.SessionIndex(index.Key)];
            var longest = index.Max(member => member.Value) - after.Now;
            Require(Math.Abs(life - longest) <= ToleranceMilliseconds, $"the index of {Readable(index.Key)} ends in {life} ms, its longest session in {longest} ms");
        }
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new ViolationException(ViolationKind.PassLeftDamage, otherwise);
        }
    }

    private bool AboutToEnd(Snapshot before, (UserReference User, SessionId Id) session) => Life(before, session) is >= 0 and <= AboutToEndMilliseconds;

    // Its record was read before, its index, which ends with the last of its sessions, after.
    private bool RanOutMeanwhile(Snapshot store, (UserReference User, SessionId Id) session) =>
        Life(store, session) is >= 0 and var life && store.Now + life <= store.Read;

    private long Life(Snapshot store, (UserReference User, SessionId Id) session) =>
        store.Lives.GetValueOrDefault(world.Keys.Session(session.User, session.Id), -2);

    private bool Damaged(UserReference user, params ReadOnlySpan<OperationKind> kinds) => world.Ledger.Happened(NumberOf(user), lastPass, kinds);

    private int NumberOf(UserReference user) => world.References.ToList().IndexOf(user);

    private string Readable(UserReference user) => $"user {NumberOf(user)}";

    private string Readable((UserReference User, SessionId Id) session) =>
        world.Ledger.Sessions.FirstOrDefault(known => known.Token.Id == session.Id)?.ToString() ?? $"an unknown session of {Readable(session.User)}";

    private string Readable(string name) => world.Keys.TryParse(name, out var key)
        ? $"{key.Kind} of {(key.Kind == StateKind.Session ? Readable((key.User, key.Id)) : Readable(key.User))}"
        : name;
}
