using System.Security.Cryptography;
using System.Text;

namespace Maintenance.WebHost.TwoFactor;

/// <summary>
/// Codes for the day the telephone is lost: 120 random bits each, four groups of six characters that cannot be mistaken for each other (Crockford's
/// base 32). With so many bits a fast hash is enough to keep.
/// </summary>
internal static class RecoveryCodes
{
    /// <summary>Codes that a user gets.</summary>
    public const int Count = 10;

    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int Characters = 24;
    private const int GroupSize = 6;

    /// <summary>New codes, to be shown once.</summary>
    public static IReadOnlyList<string> Create() => [.. Enumerable.Range(0, Count).Select(_ =>
        string.Join('-', RandomNumberGenerator.GetString(Alphabet, Characters).Chunk(GroupSize).Select(group => new string(group))))];

    /// <summary>A code without what people add or mistake: case, hyphens, spaces, O for 0, I and L for 1.</summary>
    public static string Normalize(string code)
    {
        var normal = new StringBuilder(code.Length);
        foreach (var c in code)
        {
            if (c is not ('-' or ' '))
            {
                normal.Append(char.ToUpperInvariant(c) switch { 'O' => '0', 'I' or 'L' => '1', var other => other });
            }
        }

        return normal.ToString();
    }
}
