namespace Maintenance.Storage.Tokens;

/// <summary>Bounds of a life that a caller names.</summary>
internal static class TokenLife
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(400);

    /// <summary>The life in whole milliseconds, rounded up, never 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Below 1 s or above 400 days.</exception>
    public static long Milliseconds(TimeSpan life, string field) =>
        life >= Shortest && life <= Longest
            ? (long)Math.Ceiling(life.TotalMilliseconds)
            : throw new ArgumentOutOfRangeException(field, life, "Expected 1 s to 400 days.");
}
