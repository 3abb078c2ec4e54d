namespace Maintenance.Storage.Histories.Generation;

/// <summary>Smaller histories to try, the greatest cut first.</summary>
internal static class HistoryShrinker
{
    public static IEnumerable<History> Shrink(History history)
    {
        if (!history.Ordered)
        {
            yield return history with { Ordered = true };
        }

        foreach (var rounds in RoundShrinker.Shrink(history.Rounds, Simpler))
        {
            yield return history with { Rounds = rounds };
        }

        if (history.Logins > 0)
        {
            yield return history with { Logins = history.Logins - 1 };
        }

        if (history.Users > 1)
        {
            yield return history with { Users = history.Users - 1 };
        }

        if (history.RenewAlways)
        {
            yield return history with { RenewAlways = false };
        }

        if (history.ShortGrace)
        {
            yield return history with { ShortGrace = false };
        }
    }

    private static IEnumerable<Operation> Simpler(Operation operation)
    {
        if (operation.User > 0)
        {
            yield return operation with { User = 0 };
        }

        if (operation.Session > 0)
        {
            yield return operation with { Session = 0 };
            yield return operation with { Session = operation.Session - 1 };
        }
    }
}
