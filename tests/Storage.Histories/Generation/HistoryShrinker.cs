namespace Maintenance.Storage.Histories.Generation;

/// <summary>Smaller histories to try, the greatest cut first.</summary>
internal static class HistoryShrinker
{
    private const int ToTheEnd = 50;
    private const int LongestStart = 8;

    public static IEnumerable<History> Shrink(History history)
    {
        if (!history.Ordered)
        {
            yield return history with { Ordered = true };
        }

        for (var i = 0; i < history.Rounds.Count && history.Rounds.Count > 1; i++)
        {
            yield return history with { Rounds = Without(history.Rounds, i) };
        }

        if (history.Rounds.Count > 1)
        {
            yield return history with { Rounds = [Joined(history.Rounds[0], history.Rounds[1]), .. history.Rounds.Skip(2)] };
        }

        for (var i = 0; i < history.Rounds.Count; i++)
        {
            foreach (var round in Shrink(history.Rounds[i]))
            {
                yield return history with { Rounds = With(history.Rounds, i, round) };
            }
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

    private static IEnumerable<Round> Shrink(Round round)
    {
        for (var client = 0; client < round.Clients.Count; client++)
        {
            if (round.Clients.Count > 1)
            {
                yield return round with { Clients = Without(round.Clients, client) };
            }

            var steps = round.Clients[client];
            for (var step = 0; step < steps.Count; step++)
            {
                if (steps.Count > 1 || round.Clients.Count == 1)
                {
                    yield return round with { Clients = With(round.Clients, client, Without(steps, step)) };
                }
            }
        }

        if (round.Pass)
        {
            yield return round with { Pass = false };
        }

        foreach (var order in ShrinkOrder(round.Order))
        {
            yield return round with { Order = order };
        }

        for (var client = 0; client < round.Clients.Count; client++)
        {
            var steps = round.Clients[client];
            for (var step = 0; step < steps.Count; step++)
            {
                foreach (var simpler in Simpler(steps[step]))
                {
                    yield return round with { Clients = With(round.Clients, client, With(steps, step, simpler)) };
                }
            }
        }
    }

    private static IEnumerable<IReadOnlyList<Burst>> ShrinkOrder(IReadOnlyList<Burst> order)
    {
        if (order.Count > 1)
        {
            yield return [];
            yield return [.. order.Take(order.Count / 2)];
        }

        for (var i = 0; i < order.Count; i++)
        {
            yield return Without(order, i);
        }

        for (var i = 0; i < order.Count; i++)
        {
            if (order[i].Calls > 1)
            {
                yield return With(order, i, order[i] with { Calls = order[i].Calls - 1 });
            }
        }

        // One client stopped once while another goes to its end: what a reader understands best.
        if (order.Count > 1 && (order.Count > 2 || order[1].Calls != ToTheEnd))
        {
            for (var calls = 1; calls <= LongestStart; calls++)
            {
                for (var stopped = 0; stopped <= 1; stopped++)
                {
                    yield return [new Burst(stopped, calls), new Burst(1 - stopped, ToTheEnd)];
                }
            }
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

    private static Round Joined(Round first, Round second) => second with
    {
        Clients = [.. Enumerable.Range(0, Math.Max(first.Clients.Count, second.Clients.Count)).Select(client =>
            (IReadOnlyList<Operation>)[.. first.Clients.ElementAtOrDefault(client) ?? [], .. second.Clients.ElementAtOrDefault(client) ?? []])],
        Order = [.. first.Order, .. second.Order],
    };

    private static IReadOnlyList<T> Without<T>(IReadOnlyList<T> items, int index) => [.. items.Take(index), .. items.Skip(index + 1)];

    private static IReadOnlyList<T> With<T>(IReadOnlyList<T> items, int index, T item) => [.. items.Take(index), item, .. items.Skip(index + 1)];
}
