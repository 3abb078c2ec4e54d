namespace Maintenance.Storage.Outage;

/// <summary>How far a revocation has come. That it could not even be written down is no answer but a <see cref="Redis.StorageUnavailableException"/>.</summary>
public enum RevocationOutcome
{
    /// <summary>It holds everywhere, at once.</summary>
    Done,

    /// <summary>
    /// It holds on this host at once, survives its restart, and holds everywhere as soon as this host has carried it out in Redis.
    /// </summary>
    Journalled,
}

/// <summary>The answer to a revocation.</summary>
/// <param name="Ended">What was ended now; a journalled one counts only what was in this host's memory.</param>
/// <param name="Outcome">Whether it is done or journalled.</param>
public readonly record struct Revocation(int Ended, RevocationOutcome Outcome = RevocationOutcome.Done)
{
    /// <summary>There was nothing to end.</summary>
    public static Revocation Nothing { get; }

    /// <summary>Something was ended.</summary>
    public static Revocation One { get; } = new(1);

    /// <summary>Whether there was, or may have been, something to end.</summary>
    public static implicit operator bool(Revocation revocation) => revocation.ToBoolean();

    /// <summary>Whether there was, or may have been, something to end.</summary>
    public bool ToBoolean() => Ended > 0 || Outcome == RevocationOutcome.Journalled;

    /// <summary>Both together: journalled if either is.</summary>
    internal Revocation With(RevocationOutcome other) => other == RevocationOutcome.Journalled ? this with { Outcome = other } : this;
}
