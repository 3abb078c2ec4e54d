using System.Text;
using Maintenance.Storage.Histories.Generation;

namespace Maintenance.Storage.Histories.Tokens;

/// <summary>What a client does in one step of a token history.</summary>
internal enum TokenStepKind
{
    IssueFamily,
    RotateFamily,
    RevokeFamily,
    RevokeFamilies,
    IssueOneTime,
    RedeemOneTime,
    InvalidateOneTime,
    BeginChallenge,
    AttemptChallenge,
    CompleteChallenge,
    RedeemCode,
    CancelChallenge,
    CancelChallenges,
    CreateState,
    RedeemState,
    Deny,
    AskDenied,
    EndEverything,
    EvictRecord,
    EvictIndex,
    EvictGeneration,
    Sweep,
}

/// <summary>One step. The numbers are taken modulo what there is when the step begins.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="User">To whom, where the step is about a user.</param>
/// <param name="Target">To which token of those that fit, where it is about a token.</param>
/// <param name="Variant">Bound or not, right or wrong, how long: what the kind makes of it.</param>
internal sealed record TokenStep(TokenStepKind Kind, int User = 0, int Target = 0, int Variant = 0)
{
    public override string ToString() => $"{Kind}({User}, {Target}, {Variant})";
}

/// <summary>A history of tokens of every kind. Each user has one session at the start.</summary>
/// <param name="Grace">Whether the refresh token before the current one still works for a while.</param>
/// <param name="Ordered">Whether <see cref="Round{TStep}.Order"/> decides; otherwise the clients really run at once.</param>
/// <param name="Rounds">The rounds.</param>
internal sealed record TokenHistory(bool Grace, bool Ordered, IReadOnlyList<Round<TokenStep>> Rounds)
{
    public const int Users = 2;

    public int Steps => Rounds.Sum(round => round.Clients.Sum(client => client.Count));

    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append($"{(Grace ? "a grace" : "no grace")} for rotated refresh tokens; {(Ordered ? "calls in a fixed order" : "clients run freely")}\n");
        for (var i = 0; i < Rounds.Count; i++)
        {
            Rounds[i].WriteTo(text, i + 1);
        }

        return text.ToString();
    }
}
