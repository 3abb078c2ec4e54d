using System.Text;

namespace Maintenance.Storage.Redis;

/// <summary>
/// Finds every key that carries a user's reference by walking over the keyspace, on a cluster over every primary: seconds on a store of a million keys.
/// It uses a quarter of the time, as the worker's jobs do, so that those who log in meanwhile hardly notice.
/// </summary>
internal static class UserKeyScan
{
    private const int ScanCount = 250;
    private const int RestForEachPartOfWork = 3;

    // Timers count in milliseconds; shorter rests are saved up.
    private static readonly TimeSpan ShortestRest = TimeSpan.FromMilliseconds(5);

    /// <exception cref="StorageUnavailableException">Redis did not answer.</exception>
    public static async Task<IReadOnlyCollection<string>> FindAsync(
        RedisConnection connection, RedisKeys keys, UserReference user, CancellationToken cancellationToken)
    {
        var pattern = $"{Escape(keys.Prefix)}*{user.ToTagged()}*";
        var found = new HashSet<string>(StringComparer.Ordinal);
        // Every one, and not only the one that serves the user's slot: what was written under another tag is found too.
        foreach (var primary in await connection.GetPrimariesAsync(cancellationToken).ConfigureAwait(false))
        {
            var cursor = "0";
            var rest = TimeSpan.Zero;
            do
            {
                if (rest >= ShortestRest)
                {
                    await Task.Delay(rest, connection.Clock, cancellationToken).ConfigureAwait(false);
                    rest = TimeSpan.Zero;
                }

                var at = cursor;
                var started = connection.Clock.GetTimestamp();
                var reply = ClientCompat.Items(await primary.Connection.CallAsync(
                    database => database.ExecuteAsync("SCAN", at, "MATCH", pattern, "COUNT", ScanCount), cancellationToken).ConfigureAwait(false));
                rest += connection.Clock.GetElapsedTime(started) * RestForEachPartOfWork;
                cursor = (string?)reply[0] ?? "0";
                foreach (var name in ClientCompat.Items(reply[1]))
                {
                    found.Add((string)name!);
                }
            }
            while (cursor != "0");
        }

        return found;
    }

    private static string Escape(string prefix)
    {
        var text = new StringBuilder();
        foreach (var c in prefix)
        {
            if (c is '*' or '?' or '[' or ']' or '\\' or '^' or '-')
            {
                text.Append('\\');
            }

            text.Append(c);
        }

        return text.ToString();
    }
}
