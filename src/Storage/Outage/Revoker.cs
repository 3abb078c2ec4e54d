using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Outage;

/// <summary>Carries a revocation out in Redis, or writes it down; what can do neither throws, and never answers with success.</summary>
internal sealed class Revoker(StorageSwitch mode, PendingRevocations pending, RedisWatch watch)
{
    /// <summary>Runs a revocation.</summary>
    /// <param name="inRedis">Ends what Redis holds.</param>
    /// <param name="entry">The same, to be carried out later.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What Redis answered, done; or the default value, journalled.</returns>
    /// <exception cref="StorageUnavailableException">Neither: what Redis holds may go on.</exception>
    public async Task<(T? Answer, RevocationOutcome Outcome)> RunAsync<T>(
        Func<Task<T>> inRedis, Func<JournalledRevocation> entry, CancellationToken cancellationToken)
    {
        StorageUnavailableException? cause = null;
        if (!mode.IsRedisAway)
        {
            try
            {
                return (await inRedis().ConfigureAwait(false), RevocationOutcome.Done);
            }
            catch (StorageUnavailableException exception)
            {
                // It may have taken effect, which does no harm: it is carried out once more.
                cause = exception;
            }
        }

        try
        {
            await pending.AppendAsync(entry(), cause, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            watch.Suspect();
        }

        return (default, RevocationOutcome.Journalled);
    }

    /// <summary>An entry; its id and time are set when it is kept.</summary>
    public static JournalledRevocation Entry(RevocationKind kind, UserReference user, string? subject = null) =>
        new() { Id = "", Kind = kind, At = default, User = user.Value, Subject = subject };
}
