namespace Maintenance.Worker.ForeignLayouts;

/// <summary>What a pass found in one program's store, in its result.</summary>
/// <param name="Dangling">Members whose session was gone.</param>
/// <param name="Missing">Sessions that their user's index did not name.</param>
/// <param name="WrongExpiry">Members whose score was not their session's expiry.</param>
/// <param name="Sessions">Sessions seen.</param>
/// <param name="Users">Users with an index.</param>
public sealed record ForeignFound(long Dangling, long Missing, long WrongExpiry, long Sessions, long Users);
