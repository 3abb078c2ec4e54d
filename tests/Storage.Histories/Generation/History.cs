using System.Text;

namespace Maintenance.Storage.Histories.Generation;

/// <summary>What a client does in one step.</summary>
internal enum OperationKind
{
    Create,
    CreateShort,
    Validate,
    Rotate,
    Revoke,
    RevokeAll,
    RevokeAllExcept,
    List,
    StealToken,
    Expire,
    EvictRecord,
    EvictIndex,
    EvictGeneration,
    SkewScore,
    LoseTtl,
    Cleanup,
    Reconcile,
}

/// <summary>One step. The numbers are taken modulo what there is when the step begins: users, and sessions created so far.</summary>
internal sealed record Operation(OperationKind Kind, int User = 0, int Session = 0)
{
    public override string ToString() => Kind switch
    {
        OperationKind.Create or OperationKind.CreateShort or OperationKind.RevokeAll or OperationKind.List
            or OperationKind.EvictIndex or OperationKind.EvictGeneration => $"{Kind}(user {User})",
        OperationKind.Cleanup => $"{Kind}()",
        OperationKind.Reconcile => $"{Kind}({(User == 0 ? "with generations" : "by names")})",
        OperationKind.LoseTtl => $"{Kind}({User % 3}, session {Session})",
        _ => $"{Kind}(session {Session})",
    };
}

/// <summary>So many calls in a row of one of the clients that have a call to make.</summary>
internal sealed record Burst(int Pick, int Calls)
{
    public override string ToString() => $"{Pick}x{Calls}";
}

/// <summary>What several clients do at the same time, until all are done.</summary>
/// <param name="Clients">The steps of each client.</param>
/// <param name="Order">In which order their calls reach Redis; when it is used up, one client after the other.</param>
/// <param name="Pass">Whether cleanup and reconciliation run on the still store afterwards.</param>
internal sealed record Round<TStep>(IReadOnlyList<IReadOnlyList<TStep>> Clients, IReadOnlyList<Burst> Order, bool Pass)
{
    /// <summary>One line, and one a client.</summary>
    public void WriteTo(StringBuilder text, int number)
    {
        text.Append($"round {number}{(Order.Count > 0 ? $", order {string.Join(' ', Order)}" : "")}{(Pass ? ", then a pass" : "")}\n");
        for (var client = 0; client < Clients.Count; client++)
        {
            text.Append($"  {(char)('A' + client)}: {string.Join(", ", Clients[client])}\n");
        }
    }
}

/// <summary>A whole history.</summary>
/// <param name="Users">How many users.</param>
/// <param name="Logins">Sessions that each user has at the start.</param>
/// <param name="RenewAlways">Whether every validation renews.</param>
/// <param name="ShortGrace">Whether a rotated id answers only for a moment.</param>
/// <param name="Ordered">Whether <see cref="Round{TStep}.Order"/> decides; otherwise the clients really run at once.</param>
/// <param name="Rounds">The rounds.</param>
internal sealed record History(int Users, int Logins, bool RenewAlways, bool ShortGrace, bool Ordered, IReadOnlyList<Round<Operation>> Rounds)
{
    public int Steps => Rounds.Sum(round => round.Clients.Sum(client => client.Count));

    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append($"{Users} users with {Logins} session(s) each; {(RenewAlways ? "every validation renews" : "no renewal is due")}; ")
            .Append($"grace {(ShortGrace ? "of a moment" : "long")}; {(Ordered ? "calls in a fixed order" : "clients run freely")}\n");
        for (var i = 0; i < Rounds.Count; i++)
        {
            Rounds[i].WriteTo(text, i + 1);
        }

        return text.ToString();
    }
}
