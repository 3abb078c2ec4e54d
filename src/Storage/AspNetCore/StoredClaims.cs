using System.Security.Claims;

namespace Maintenance.Storage.AspNetCore;

/// <summary>
/// Claims of a principal as a session's, which has one value a name: the second claim of a type is stored as <c>type LF 2</c>, and so on. A name that
/// begins with a line feed belongs to the cookie ticket and is no claim.
/// </summary>
internal static class StoredClaims
{
    private const char Mark = '\n';

    /// <summary>Adds claims to what a session will store. Value type and issuer are not kept.</summary>
    /// <exception cref="ArgumentException">A type holds a line feed.</exception>
    public static void Write(IEnumerable<Claim> claims, Dictionary<string, string> stored)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var claim in claims)
        {
            if (claim.Type.Length == 0 || claim.Type.Contains(Mark, StringComparison.Ordinal))
            {
                throw new ArgumentException("A claim's type is empty or holds a line feed; it cannot be kept in a session.", nameof(claims));
            }

            var count = counts[claim.Type] = counts.GetValueOrDefault(claim.Type) + 1;
            stored[count == 1 ? claim.Type : $"{claim.Type}{Mark}{count}"] = claim.Value;
        }
    }

    /// <summary>A session's claims: type and value.</summary>
    public static IEnumerable<(string Type, string Value)> Read(IReadOnlyDictionary<string, string> stored)
    {
        foreach (var (name, value) in stored)
        {
            var mark = name.IndexOf(Mark, StringComparison.Ordinal);
            if (mark != 0)
            {
                yield return (mark < 0 ? name : name[..mark], value);
            }
        }
    }
}
