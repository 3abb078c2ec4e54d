namespace Maintenance.Storage.Histories.Generation;

/// <summary>Fewer and smaller rounds to try, the greatest cut first; what a smaller step is, the caller knows.</summary>
internal static class RoundShrinker
{
    private const int ToTheEnd = 50;
    private const int LongestStart = 8;

    public static IEnumerable<IReadOnlyList<Round<TStep>>> Shrink<TStep>(IReadOnlyList<Round<TStep>> rounds, Func<TStep, IEnumerable<TStep>> simpler)
    {
        for (var i = 0; i < rounds.Count && rounds.Count > 1; i++)
        {
            yield return Without(rounds, i);
        }

        if (rounds.Count > 1)
        {
            yield return [Joined(rounds[0], rounds[1]), .. rounds.Skip(2)];
        }

        for (var i = 0; i < rounds.Count; i++)
        {
            foreach (var round in Shrink(rounds[i], simpler))
            {
                yield return With(rounds, i, round);
            }
        }
    }

    private static IEnumerable<Round<TStep>> Shrink<TStep>(Round<TStep> round, Func<TStep, IEnumerable<TStep>> simpler)
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
                foreach (var smaller in simpler(steps[step]))
                {
                    yield return round with { Clients = With(round.Clients, client, With(steps, step, smaller)) };
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

    private static Round<TStep> Joined<TStep>(Round<TStep> first, Round<TStep> second) => second with
    {
        Clients = [.. Enumerable.Range(0, Math.Max(first.Clients.Count, second.Clients.Count)).Select(client =>
            (IReadOnlyList<TStep>)[.. first.Clients.ElementAtOrDefault(client) ?? [], .. second.Clients.ElementAtOrDefault(client) ?? []])],
        Order = [.. first.Order, .. second.Order],
    };

    private static IReadOnlyList<T> Without<T>(IReadOnlyList<T> items, int index) => [.. items.Take(index), .. items.Skip(index + 1)];

    private static IReadOnlyList<T> With<T>(IReadOnlyList<T> items, int index, T item) => [.. items.Take(index), item, .. items.Skip(index + 1)];
}
