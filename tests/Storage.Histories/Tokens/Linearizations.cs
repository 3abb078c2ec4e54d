using System.Collections.Immutable;

namespace Maintenance.Storage.Histories.Tokens;

/// <summary>
/// Whether there is an order of the acts, each at one moment of its span, in which the model gives every answer that the store gave. After Wing and
/// Gong; a state that was reached with the same acts left is not visited twice.
/// </summary>
internal sealed class Linearizations(bool grace)
{
    private readonly HashSet<(ulong Left, string State)> seen = [];
    private readonly Dictionary<string, ImmutableSortedDictionary<string, long>> ends = new(StringComparer.Ordinal);

    /// <summary>Every state in which the acts can have left the object; none if no order explains the answers.</summary>
    public IReadOnlyList<ImmutableSortedDictionary<string, long>> After(
        IReadOnlyList<ImmutableSortedDictionary<string, long>> starts, IReadOnlyList<TokenAct> acts)
    {
        seen.Clear();
        ends.Clear();
        foreach (var start in starts)
        {
            Visit(start, acts, acts.Count == 64 ? ulong.MaxValue : (1UL << acts.Count) - 1);
        }

        return [.. ends.Values];
    }

    private void Visit(ImmutableSortedDictionary<string, long> state, IReadOnlyList<TokenAct> acts, ulong left)
    {
        var text = string.Join(';', state.Select(fact => $"{fact.Key}={fact.Value}"));
        if (left == 0)
        {
            ends[text] = state;
            return;
        }

        if (!seen.Add((left, text)))
        {
            return;
        }

        // Nothing may come before what had been answered when it was called.
        var firstAnswer = Enumerable.Range(0, acts.Count).Where(i => (left & (1UL << i)) != 0).Min(i => acts[i].Answered!.Value);
        for (var i = 0; i < acts.Count; i++)
        {
            if ((left & (1UL << i)) != 0 && acts[i].Called < firstAnswer)
            {
                var (answer, next) = TokenModel.Apply(state, acts[i], grace);
                if (answer == acts[i].Answer)
                {
                    Visit(next, acts, left & ~(1UL << i));
                }
            }
        }
    }
}
