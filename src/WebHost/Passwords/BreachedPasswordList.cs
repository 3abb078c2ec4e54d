using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Passwords;

/// <summary>The commonest passwords, and those of the configured file. Kept as the first 8 bytes of SHA-1, sorted: 8 bytes a password.</summary>
internal sealed class BreachedPasswordList : IBreachedPasswords
{
    private static readonly string[] Commonest =
    [
        "password", "password1", "password12", "password123", "passw0rd", "p@ssw0rd", "p@ssword", "12345678", "123456789", "1234567890", "0123456789",
        "987654321", "0987654321", "11223344", "12341234", "123123123", "qwertyui", "qwertyuiop", "qwerty12", "qwerty123", "qwerty1234", "1q2w3e4r",
        "1q2w3e4r5t", "1qaz2wsx", "zaq12wsx", "asdfghjk", "asdfghjkl", "zxcvbnm1", "abcd1234", "abc12345", "abcdefgh", "iloveyou", "iloveyou1", "sunshine",
        "princess", "football", "baseball", "superman", "starwars", "whatever", "trustno1", "letmein1", "welcome1", "welcome123", "monkey123", "dragon123",
        "admin123", "administrator", "changeme", "changeme1", "changeme123", "secret123", "computer", "internet", "michelle", "jennifer", "charlie1",
        "123456789012", "1234567890123", "012345678910", "123123123123", "123412341234", "111122223333", "112233445566", "password1234", "password12345", "passwordpassword",
        "password123!", "p@ssw0rd1234", "qwertyuiop12", "qwertyuiop123", "qwertyuiopasdf", "qwerty123456", "qwertyqwerty", "1q2w3e4r5t6y", "q1w2e3r4t5y6", "1qaz2wsx3edc",
        "zaq12wsxcde3", "asdfghjkl123", "abcdefghijkl", "abc123abc123", "adminadminadmin", "administrator1", "changemechangeme", "iloveyouforever", "letmeinplease", "welcome12345",
    ];

    private readonly ulong[] prefixes;

    public BreachedPasswordList(IOptions<PasswordSettings> settings)
    {
        var known = Commonest.Select(Prefix);
        if (settings.Value.BreachedListFile is { Length: > 0 } file)
        {
            known = known.Concat(File.ReadLines(file).Where(line => line.Length > 0).Select(OfLine));
        }

        prefixes = [.. known.Distinct().Order()];
    }

    // A password of 16 hexadecimal digits is refused once in 2^64 for another one; nobody will notice.
    public ValueTask<bool> ContainsAsync(string password, CancellationToken cancellationToken) =>
        new(Array.BinarySearch(prefixes, Prefix(password)) >= 0 || Array.BinarySearch(prefixes, Prefix(password.ToLowerInvariant())) >= 0);

    private static ulong OfLine(string line)
    {
        var hash = line.Split(':')[0];
        return hash.Length == 40 && hash.All(char.IsAsciiHexDigit) ? Convert.ToUInt64(hash[..16], 16) : Prefix(line);
    }

    // SHA-1 because published lists are of SHA-1; nothing rests on it.
#pragma warning disable CA5350
    private static ulong Prefix(string password) => System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(SHA1.HashData(Encoding.UTF8.GetBytes(password)));
#pragma warning restore CA5350
}
