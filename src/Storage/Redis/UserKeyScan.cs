using System.Text;

namespace Maintenance.Storage.Redis;

/// <summary>
/// Finds every key that carries a user's reference by walking over the keyspace, on a cluster over every primary: seconds on a store of a million keys.
/// It rests as long as it works, so that some walks at once leave room for those who log in.
/// </summary>
internal static class UserKeyScan
{
    // Measured beside a million keys: with 1,000 the median GET of others takes three times as long, with 250 as long as without the walk.
    private const int ScanCount = 250;

    // A timer on a busy machine is some milliseconds late; shorter rests are saved up.
    private static readonly TimeSpan ShortestRest = TimeSpan.FromMilliseconds(20);

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
                rest += connection.Clock.GetElapsedTime(started);
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
