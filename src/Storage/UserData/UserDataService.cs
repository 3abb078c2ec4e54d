using System.Text.Json;
using System.Text.Json.Nodes;
using Maintenance.Storage.Caching;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Logging;

namespace Maintenance.Storage.UserData;

/// <summary>What an erasure did.</summary>
/// <param name="EndedSessions">Sessions that were ended.</param>
/// <param name="Erased">Keys or entries removed from the store.</param>
/// <param name="Sources">Items that each <see cref="IUserDataSource"/> erased, by its name.</param>
public sealed record UserErasure(int EndedSessions, long Erased, IReadOnlyDictionary<string, long> Sources);

/// <summary>
/// Lists, exports and erases all of one user in one call. Not among it, because nothing in the store says whose it is: denied tokens, OAuth states and
/// rate-limit cells (each a hash, and short-lived), and the sketch of a day's users, from which nobody can be read.
/// </summary>
public sealed class UserDataService
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly ISessionStore sessions;
    private readonly AuthCache cache;
    private readonly IUserDataStore store;
    private readonly IReadOnlyList<IUserDataSource> sources;
    private readonly TimeProvider timeProvider;
    private readonly ILogger logger;

    /// <summary>Creates the service.</summary>
    /// <exception cref="ArgumentException">Two sources have the same name, or one has that of a part of the document.</exception>
    public UserDataService(
        ISessionStore sessions,
        AuthCache cache,
        IUserDataStore store,
        IEnumerable<IUserDataSource> sources,
        TimeProvider timeProvider,
        ILogger<UserDataService> logger)
    {
        (this.sessions, this.cache, this.store, this.timeProvider, this.logger) = (sessions, cache, store, timeProvider, logger);
        this.sources = [.. sources];
        var doubled = this.sources.Select(source => source.Name).Concat(UserDataDocument.Parts).GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(name => name.Count() > 1);
        if (doubled is not null)
        {
            throw new ArgumentException($"Two sources of user data are called '{doubled.Key}', or it is the name of a part of the document.", nameof(sources));
        }
    }

    /// <summary>All that the store holds of a user; what other sources hold is only in the export.</summary>
    /// <exception cref="Redis.StorageUnavailableException">The store did not answer.</exception>
    public Task<UserDataSet> ListAsync(string userId, CancellationToken cancellationToken) => store.ReadAsync(userId, cancellationToken);

    /// <summary>All of a user, every source included, as one indented JSON document in UTF-8 with names in snake case. No secret is in it.</summary>
    /// <exception cref="Redis.StorageUnavailableException">The store did not answer.</exception>
    public async Task<byte[]> ExportAsync(string userId, CancellationToken cancellationToken)
    {
        var document = UserDataDocument.Of(await store.ReadAsync(userId, cancellationToken).ConfigureAwait(false), timeProvider.GetUtcNow());
        foreach (var source in sources)
        {
            document[source.Name] = await source.ExportAsync(userId, cancellationToken).ConfigureAwait(false);
        }

        return JsonSerializer.SerializeToUtf8Bytes<JsonNode>(document, Indented);
    }

    /// <summary>
    /// Ends everything of a user and erases it. The generation changes first, so that nothing in flight comes back; then the other sources, because the
    /// store might be filled again from them; the generation once more, for a log-in that rests on what a source had; then the caches of every host, and the
    /// store. Safe to repeat, and among concurrent log-ins: one that comes before the store is emptied goes with it, one after it is a new session.
    /// </summary>
    /// <exception cref="Redis.StorageUnavailableException">The store did not answer; some of it may be left. Repeat it.</exception>
    public async Task<UserErasure> EraseAsync(string userId, CancellationToken cancellationToken)
    {
        var revoked = await sessions.RevokeAllAsync(userId, except: null, cancellationToken).ConfigureAwait(false);
        var erased = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var source in sources)
        {
            erased[source.Name] = await source.EraseAsync(userId, cancellationToken).ConfigureAwait(false);
        }

        // Again: a log-in that found the account before it went may have come to its session since.
        var late = await sessions.RevokeAllAsync(userId, except: null, cancellationToken).ConfigureAwait(false);
        await cache.InvalidateUserAsync(userId, cancellationToken).ConfigureAwait(false);
        var keys = await store.EraseAsync(userId, cancellationToken).ConfigureAwait(false);
        logger.UserErased(Redis.UserReference.Of(userId).Value, keys, erased.Values.Sum());
        return new UserErasure(revoked.EndedSessions + late.EndedSessions, keys, erased);
    }
}
