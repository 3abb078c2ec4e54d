using Maintenance.Worker.Keyspace;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>Something that did not match when names and indexes were compared. Only a script on the primary says whether anything is wrong.</summary>
/// <param name="User">The user's number in <see cref="LiveSessions"/>.</param>
/// <param name="Id">The session.</param>
/// <param name="Score">The member's score, or NaN when the index did not name the session.</param>
internal readonly record struct Suspect(int User, PackedId Id, double Score)
{
    /// <summary>The score as the repair wants it.</summary>
    public double? SeenScore => double.IsNaN(Score) ? null : Score;
}
