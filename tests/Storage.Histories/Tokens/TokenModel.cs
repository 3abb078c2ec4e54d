using System.Collections.Immutable;

namespace Maintenance.Storage.Histories.Tokens;

/// <summary>
/// What the stores must answer if every call happened at one moment between its beginning and its answer: the state of one user, state, or denial,
/// and what each call makes of it. Written down as the contract says it, without a look at the scripts.
/// </summary>
internal static class TokenModel
{
    public const int MostAttempts = 2;
    public const int MostAttemptsOfUser = 3;

    /// <summary>Facts that are not zero. Begins with the user's session.</summary>
    public static ImmutableSortedDictionary<string, long> Start { get; } =
        ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal).Add(Session, 1);

    private const string Session = "session";
    private const string UserAttempts = "attempts of the user";
    private const string LastStep = "last step";
    private const string DeniedUntil = "denied until";

    /// <summary>The answer that the act must have in this state, and the state after it.</summary>
    /// <param name="state">Before the act.</param>
    /// <param name="act">The call.</param>
    /// <param name="grace">Whether the refresh token before the current one still works.</param>
    public static (string Answer, ImmutableSortedDictionary<string, long> State) Apply(ImmutableSortedDictionary<string, long> state, TokenAct act, bool grace)
    {
        long Get(string fact) => state.GetValueOrDefault(fact);
        var number = act.Target?.Number ?? -1;
        var live = act.Target is { } target && Get(Live(target)) == 1;
        switch (act.What)
        {
            case "session":
                return (Get(Session) == 1 ? "valid" : "denied", state);

            case "issue family" when act.Variant == 1 && Get(Session) == 0:
                return ("no session", state);
            case "issue family":
                return ("issued", act.Born is { } family ? state.SetItem(Live(family), 1).SetItem(Current(family), family.Number).SetItem(Bound(family), act.Variant) : state);
            case "rotate" when !live:
                return ("denied", state);
            case "rotate" when Get(Current(act.Target!)) == number:
                return ("rotated", act.Born is { } next ? state.SetItem(Previous(act.Target!), number).SetItem(Current(act.Target!), next.Number) : state);
            case "rotate" when grace && Get(Previous(act.Target!)) == number && state.ContainsKey(Previous(act.Target!)):
                return ("replaced", act.Born is { } again ? state.SetItem(Current(act.Target!), again.Number) : state);
            case "rotate":
                // Somebody has two copies: the family ends, and with its session every family of that.
                state = state.Remove(Live(act.Target!));
                return ("reused", Get(Bound(act.Target!)) == 0 ? state : EndBound(state).Remove(Session));
            case "revoke family":
                return ("done", state.Remove(Live(act.Target!)));
            case "families":
                return (Count(state, "family "), state);
            case "revoke families" or "lose families":
                return ("done", End(state, "family "));

            case "issue one-time":
                return ("issued", act.Born is { } token ? state.SetItem(Live(token), 1) : state);
            case "redeem" when act.Variant == 1:
                return ("denied", state);
            case "redeem":
                return (live ? "redeemed" : "denied", state.Remove(Live(act.Target!)));
            case "peek":
                return (live ? "accepted" : "denied", state);
            case "one-time tokens":
                return (Count(state, $"one-time {act.Variant} "), state);
            case "invalidate" or "lose one-time":
                return ("done", End(state, $"one-time {act.Variant} "));

            case "begin" when Get(UserAttempts) >= MostAttemptsOfUser:
                return ("user locked", state);
            case "begin":
                return ("begun", act.Born is { } challenge ? state.SetItem(Live(challenge), 1) : state);
            case "attempt" or "redeem code" or "complete" when !live:
                return ("denied", state);
            case "attempt" or "redeem code":
                if (Get(UserAttempts) >= MostAttemptsOfUser)
                {
                    return ("user locked", state);
                }

                if (Get(Attempts(number)) >= MostAttempts)
                {
                    return ("locked", state);
                }

                state = state.SetItem(Attempts(number), Get(Attempts(number)) + 1).SetItem(UserAttempts, Get(UserAttempts) + 1);
                return act.What == "attempt" ? ("allowed", state)
                    : act.Variant == 1 ? ("wrong", state)
                    : ("completed", state.Remove(Live(act.Target!)).Remove(UserAttempts));
            case "complete" when Get(Attempts(number)) == 0:
                return ("not attempted", state);
            case "complete" when act.Variant <= Get(LastStep):
                return ("step used", state);
            case "complete":
                return ("completed", state.Remove(Live(act.Target!)).Remove(UserAttempts).SetItem(LastStep, act.Variant));
            case "find challenge":
                return (state.Any(fact => fact.Key.StartsWith("challenge ", StringComparison.Ordinal) && Get(Attempts(long.Parse(fact.Key["challenge ".Length..]))) < MostAttempts) ? "one" : "none", state);
            case "cancel":
                return ("done", state.Remove(Live(act.Target!)));
            case "cancel all" or "lose challenges":
                return ("done", End(state, "challenge "));

            case "create state":
                return ("created", act.Born is { } born ? state.SetItem(Live(born), 1) : state);
            case "redeem state":
                return (!live ? "denied" : act.Variant == 1 ? "mismatch" : "redeemed", state.Remove(Live(act.Target!)));

            case "deny":
                return ("done", state.SetItem(DeniedUntil, Math.Max(Get(DeniedUntil), act.Variant)));
            case "denied?":
                return ($"{Get(DeniedUntil)}", state);

            case "end everything" or "lose generation":
                return ("done", End(End(End(state, "family "), "one-time "), "challenge ").Remove(Session));
            case "lose record":
                return ("done", state.Remove(Live(act.Target!)));
            default:
                throw new InvalidOperationException($"The model does not know '{act.What}'.");
        }
    }

    private static string Live(HeldToken token) => token.Origin switch
    {
        TokenStepKind.IssueFamily => $"family {token.Family}",
        TokenStepKind.IssueOneTime => $"one-time {token.Purpose} {token.Number}",
        TokenStepKind.BeginChallenge => $"challenge {token.Number}",
        _ => "state",
    };

    private static string Current(HeldToken token) => $"current of {token.Family}";

    private static string Previous(HeldToken token) => $"previous of {token.Family}";

    private static string Bound(HeldToken token) => $"bound {token.Family}";

    private static string Attempts(long challenge) => $"attempts of {challenge}";

    private static string Count(ImmutableSortedDictionary<string, long> state, string kind) => $"{state.Keys.Count(fact => fact.StartsWith(kind, StringComparison.Ordinal))}";

    private static ImmutableSortedDictionary<string, long> End(ImmutableSortedDictionary<string, long> state, string kind) =>
        state.RemoveRange(state.Keys.Where(fact => fact.StartsWith(kind, StringComparison.Ordinal)));

    private static ImmutableSortedDictionary<string, long> EndBound(ImmutableSortedDictionary<string, long> state) =>
        state.RemoveRange(state.Keys.Where(fact => fact.StartsWith("family ", StringComparison.Ordinal) && state.GetValueOrDefault($"bound {fact["family ".Length..]}") == 1));
}
