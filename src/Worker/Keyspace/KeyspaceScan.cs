using System.Runtime.CompilerServices;
using System.Text;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.Keyspace;

/// <summary>A key that SCAN named, if it is ours.</summary>
internal readonly record struct ScannedKey(RedisKey Name, ParsedKey Parsed);

/// <summary>
/// Walks over every key of one server in paced pages, without MATCH: reading names here costs less than the server's pattern, and what is not
/// ours is counted. A key may come twice, a page may be empty, and a key made or removed meanwhile may or may not come (that is all SCAN promises).
/// </summary>
internal sealed class KeyspaceScan(RedisConnection connection, RedisKeys keys, JobContext context)
{
    private const int LongestName = 512;
    private static readonly TimeSpan LeastDeadline = TimeSpan.FromSeconds(5);

    private readonly KeyNameScan names = new(connection, context);

    /// <summary>Longest wait for one page or batch of a job; nobody's request waits for it. A longer <c>Storage:Redis:Deadline</c> counts.</summary>
    public static TimeSpan DeadlineOf(RedisConnection connection) => connection.DeadlineOfAtLeast(LeastDeadline);

    /// <summary>Keys that came, ours or not, those that came twice included.</summary>
    public long Scanned => names.Scanned;

    /// <summary>Keys whose name is not ours to the letter.</summary>
    public long Foreign { get; private set; }

    /// <summary>The prefix of session keys that would be ours if the prefix were another; null while none came.</summary>
    public string? OtherPrefix { get; private set; }

    /// <summary>The server does not allow SCAN, so that this walk says nothing. It is in the report already.</summary>
    public bool Refused => names.Refused;

    /// <summary>Pages of our keys; some are empty.</summary>
    public async IAsyncEnumerable<IReadOnlyList<ScannedKey>> PagesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var page in names.PagesAsync(cancellationToken))
        {
            yield return Read(page);
        }
    }

    /// <summary>Warns when not one session came under our prefix although there are some under another.</summary>
    /// <param name="context">The run.</param>
    /// <param name="keys">Our keys.</param>
    /// <param name="sessions">Sessions that came, of all servers.</param>
    /// <param name="otherPrefix"><see cref="OtherPrefix"/> of any server.</param>
    public static void WarnOfAnotherPrefix(JobContext context, RedisKeys keys, long sessions, string? otherPrefix)
    {
        if (sessions == 0 && otherPrefix is { } other)
        {
            context.Report.Warn($"No session under the key prefix '{keys.Prefix}', but there are some under '{other}'. Is Storage:Redis:KeyPrefix right?");
        }
    }

    private List<ScannedKey> Read(RedisKey[] scanned)
    {
        var page = new List<ScannedKey>(scanned.Length);
        Span<char> text = stackalloc char[LongestName];
        foreach (var name in scanned)
        {
            var bytes = (byte[]?)name ?? [];
            // No key of ours with a fixed shape is this long; of the opaque kinds only cache entries could be, and they are left to their TTL.
            if (bytes.Length <= LongestName)
            {
                var length = Encoding.UTF8.GetChars(bytes, text);
                if (keys.TryParse(text[..length], out var parsed))
                {
                    page.Add(new ScannedKey(name, parsed));
                    continue;
                }

                OtherPrefix ??= SessionPrefix(text[..length]);
            }

            Foreign++;
        }

        return page;
    }

    private static string? SessionPrefix(ReadOnlySpan<char> name)
    {
        var at = name.IndexOf("session:{", StringComparison.Ordinal);
        if (at < 0 || name[..at].IndexOfAny('{', '}') >= 0)
        {
            return null;
        }

        var prefix = name[..at].ToString();
        return new RedisKeys(prefix).TryParse(name, out var parsed) && parsed.Kind == StateKind.Session ? prefix : null;
    }
}
