using System.Security.Cryptography;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.Passwords;

/// <summary>How a password compared.</summary>
internal readonly record struct PasswordCheck(bool Matches, bool NeedsRehash);

/// <summary>Hashes and compares passwords on the hashing threads. Every comparison costs one hash, also when there is nothing to compare with.</summary>
internal sealed class PasswordWork(IPasswordHasher<User> hasher, HashingThreads threads)
{
    private static readonly User Nobody = new();

    // Made with the settings of this host, so that it costs what a real one costs.
    private readonly Lazy<string> decoy = new(() => hasher.HashPassword(Nobody, Convert.ToHexString(RandomNumberGenerator.GetBytes(32))));

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
        var result = await threads.RunAsync(() => hasher.VerifyHashedPassword(Nobody, hash ?? decoy.Value, password), cancellationToken);
        return hash is null
            ? default
            : new PasswordCheck(result != PasswordVerificationResult.Failed, result == PasswordVerificationResult.SuccessRehashNeeded);
    }

    /// <summary>Makes the decoy before the first request needs it.</summary>
    public void Prepare() => _ = decoy.Value;
}
