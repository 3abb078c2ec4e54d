namespace Maintenance.Worker.ForeignLayouts;

/// <summary>What is wrong with a member or a session. The names are the label <c>kind</c> of the metrics, in snake case.</summary>
internal enum ForeignDrift
{
    /// <summary>A member whose session is gone, although its score, if it has one, says that it lives.</summary>
    Dangling,

    /// <summary>A member whose session is gone, as its score says.</summary>
    Expired,

    /// <summary>A session that its user's index does not name.</summary>
    Missing,

    /// <summary>A member whose score is not its session's expiry.</summary>
    WrongExpiry,
}

/// <summary>Something that does not match, to be looked at again.</summary>
/// <param name="Drift">What it seems to be.</param>
/// <param name="Session">The session's id. It may log somebody in: never logged, never stored.</param>
/// <param name="User">Whose index.</param>
/// <param name="Member">The member.</param>
/// <param name="Score">Its score when it was seen; NaN without one.</param>
internal sealed record ForeignSuspect(ForeignDrift Drift, string Session, string User, byte[] Member, double Score)
{
    /// <summary>The session's key.</summary>
    public string SessionKey(KeySpace space) => space.Sessions.Format(Session, User);

    /// <summary>The index's key.</summary>
    public string IndexKey(KeySpace space) => space.Index.Format("", User);

    /// <summary>Tells the same suspect again in a later pass. A score that has changed makes it another one.</summary>
    public UInt128 Fingerprint(KeySpace space) => KeySpace.Fingerprint(
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Drift}\n{SessionKey(space)}\n{IndexKey(space)}\n{Score:R}"));
}
