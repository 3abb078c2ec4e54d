namespace Maintenance.Worker.Scheduling;

/// <summary>Limits what one pass may remove. Bound from <c>Jobs:&lt;Name&gt;:Brake</c>.</summary>
public sealed class BrakeOptions
{
    /// <summary>Share of what a pass saw, 0 to 1. Default 0.2.</summary>
    public double Share { get; set; } = 0.2;

    /// <summary>So many may always be removed. Default 1,000.</summary>
    public long Minimum { get; set; } = 1000;
}

/// <summary>
/// Keeps one wrong setting (a key prefix, a generation wiped by a restore) from emptying a store: a pass that would remove more than a share of
/// what it saw stops, reports and alerts.
/// </summary>
public sealed class Brake(BrakeOptions options)
{
    /// <summary>Whether so many removals are allowed.</summary>
    /// <param name="seen">Items of this kind that the pass has seen.</param>
    /// <param name="removals">Items that it would have removed, those before included.</param>
    public bool Allows(long seen, long removals) => removals <= Allowed(seen);

    /// <summary>Asks before removing.</summary>
    /// <param name="seen">Items of this kind that the pass has seen.</param>
    /// <param name="removals">Items that it would have removed with this step, those before it included.</param>
    /// <param name="what">Name of the items for the message.</param>
    /// <exception cref="BrakeException">Too many; the pass must end.</exception>
    public void Check(long seen, long removals, string what)
    {
        if (!Allows(seen, removals))
        {
            throw new BrakeException(
                $"Stopped before removing {removals} of {seen} {what}; at most {Allowed(seen)} are allowed (Brake:Share {options.Share}, Brake:Minimum {options.Minimum}). If this is right, raise Brake:Share for one run.");
        }
    }

    private long Allowed(long seen) => Math.Max(options.Minimum, (long)(seen * options.Share));
}

/// <summary>A pass would have removed too much.</summary>
public sealed class BrakeException(string message) : Exception(message);
