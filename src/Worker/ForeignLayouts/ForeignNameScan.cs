using System.Runtime.CompilerServices;
using System.Text;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.ForeignLayouts;

/// <summary>A key of another program's store: a session, or the index of a user.</summary>
internal readonly record struct ForeignName(KeySpace Space, string Key, bool IsIndex, string Session, string User);

/// <summary>Walks over the keys of one server and names those of the stores. What is ours to the letter is never another program's.</summary>
internal sealed class ForeignNameScan(RedisConnection server, RedisKeys keys, IReadOnlyList<KeySpace> spaces, JobContext context, SweepMetrics metrics)
{
    private const int LongestNameBytes = 1024;

    private readonly KeyNameScan names = new(server, context);

    /// <summary>The server does not allow SCAN.</summary>
    public bool Refused => names.Refused;

    /// <summary>Pages; some are empty.</summary>
    public async IAsyncEnumerable<IReadOnlyList<ForeignName>> PagesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var page in names.PagesAsync(cancellationToken))
        {
            context.Progress?.Report(new JobProgress("scan of other programs' keys", names.Scanned, null));
            var found = new List<ForeignName>();
            foreach (var key in page)
            {
                if ((byte[]?)key is { Length: <= LongestNameBytes } bytes && Read(Encoding.UTF8.GetString(bytes)) is { } name)
                {
                    found.Add(name);
                    metrics.Scanned(1, name.Space.Name);
                }
            }

            yield return found;
        }
    }

    private ForeignName? Read(string key)
    {
        if (keys.TryParse(key, out _))
        {
            return null;
        }

        foreach (var space in spaces)
        {
            // The index first: `user:sessions:{user}` is what `user:sessions:{session}` would be too.
            if (space.Index.TryMatch(key, out _, out var user))
            {
                return new ForeignName(space, key, IsIndex: true, "", user);
            }

            if (space.Sessions.TryMatch(key, out var session, out user))
            {
                return new ForeignName(space, key, IsIndex: false, session, user);
            }
        }

        return null;
    }
}
