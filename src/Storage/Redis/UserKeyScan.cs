using System.Text;

namespace Maintenance.Storage.Redis;

/// <summary>Finds every key that carries a user's reference by walking over the keyspace: seconds on a store of millions. On a cluster over every primary.</summary>
internal static class UserKeyScan
{
    private const int ScanCount = 1000;

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
            do
            {
                var at = cursor;
                var reply = ClientCompat.Items(await primary.Connection.CallAsync(
                    database => database.ExecuteAsync("SCAN", at, "MATCH", pattern, "COUNT", ScanCount), cancellationToken).ConfigureAwait(false));
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
