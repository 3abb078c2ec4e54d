using System.Buffers.Binary;
using System.Security.Cryptography;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Passwords;

/// <summary>How a password compared.</summary>
internal readonly record struct PasswordCheck(bool Matches, bool NeedsRehash);

/// <summary>
/// Hashes and compares passwords on the hashing threads. Every comparison that fails costs the same, whether there is something to compare with or not, and
/// whatever the strength of a hash that was stored long ago.
/// </summary>
/// <param name="hasher">Makes and compares hashes.</param>
/// <param name="threads">Where.</param>
/// <param name="options">How strong new ones are.</param>
/// <param name="spend">Does rounds for nothing; tests count them.</param>
internal sealed class PasswordWork(IPasswordHasher<User> hasher, HashingThreads threads, IOptions<PasswordHasherOptions> options, Action<string, int>? spend = null)
{
    private static readonly User Nobody = new();

    // Made with the settings of this host, so that it costs what a real one costs.
    private readonly Lazy<string> decoy = new(() => hasher.HashPassword(Nobody, Convert.ToHexString(RandomNumberGenerator.GetBytes(32))));

    // The strongest that was met here: the setting may have been lowered since some hashes were made.
    private int strongest = options.Value.IterationCount;

    /// <summary>Hashes a new password.</summary>
    /// <exception cref="HashingSaturatedException">No room; answer 503.</exception>
    public Task<string> HashAsync(string password, CancellationToken cancellationToken) =>
        threads.RunAsync(() => hasher.HashPassword(Nobody, password), cancellationToken);

    /// <summary>Compares a password with a user's.</summary>
    /// <param name="user">Null: there is no such user; the comparison takes as long and fails.</param>
    /// <param name="password">What was sent.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="HashingSaturatedException">No room; answer 503.</exception>
    public async Task<PasswordCheck> CheckAsync(User? user, string password, CancellationToken cancellationToken)
    {
        var hash = user?.PasswordHash;
        var result = await threads.RunAsync(() => Compare(hash ?? decoy.Value, password), cancellationToken);
        return hash is null
            ? default
            : new PasswordCheck(result != PasswordVerificationResult.Failed, result == PasswordVerificationResult.SuccessRehashNeeded);
    }

    /// <summary>Makes the decoy before the first request needs it: that request would take as long as two.</summary>
    public Task PrepareAsync(CancellationToken cancellationToken) => threads.RunAsync(() => decoy.Value, cancellationToken);

    /// <summary>The rounds of a stored hash; 0 if it is not of the format of Identity's third version.</summary>
    /// <remarks>
    /// Format: byte 1, PRF (4 bytes), rounds (4 bytes, big endian), length of the salt, salt, key; in Base64.
    /// https://github.com/dotnet/aspnetcore/blob/main/src/Identity/Extensions.Core/src/PasswordHasher.cs
    /// </remarks>
    internal static int RoundsOf(string hash)
    {
        const int version = 1;
        Span<byte> head = stackalloc byte[9];
        return hash.Length >= 12 && Convert.TryFromBase64Chars(hash.AsSpan(0, 12), head, out var read) && read == head.Length && head[0] == version
            ? (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(head[5..]), int.MaxValue)
            : 0;
    }

    private PasswordVerificationResult Compare(string hash, string password)
    {
        var result = hasher.VerifyHashedPassword(Nobody, hash, password);
        var rounds = RoundsOf(hash);
        Raise(rounds);
        // A hash of fewer rounds (or of the format before, of a thousand) would tell by its speed that there is one. Who knows the password may notice.
        // Another hasher than Identity's takes care of that itself.
        if (result == PasswordVerificationResult.Failed && RoundsOf(decoy.Value) > 0 && Volatile.Read(ref strongest) - rounds is > 0 and var missing)
        {
            (spend ?? Spend)(password, missing);
        }

        return result;
    }

    // The function of Identity's third version.
    private static void Spend(string password, int rounds) => Rfc2898DeriveBytes.Pbkdf2(password, new byte[16], rounds, HashAlgorithmName.SHA512, 32);

    private void Raise(int rounds)
    {
        for (var seen = Volatile.Read(ref strongest); rounds > seen; seen = Volatile.Read(ref strongest))
        {
            Interlocked.CompareExchange(ref strongest, rounds, seen);
        }
    }
}
