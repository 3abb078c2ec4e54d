using System.Runtime.CompilerServices;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.Keyspace;

/// <summary>SCAN over every key of one server in paced pages. A key may come twice, a page may be empty.</summary>
internal sealed class KeyNameScan(RedisConnection connection, JobContext context)
{
    // A key that SCAN passes over costs the server far less than a command of its own.
    private const int KeysPerCommand = 10;

    /// <summary>Keys that came, those that came twice included.</summary>
    public long Scanned { get; private set; }

    /// <summary>The server does not allow SCAN, so that this walk says nothing. It is in the report already.</summary>
    public bool Refused { get; private set; }

    /// <summary>Pages of names.</summary>
    public async IAsyncEnumerable<RedisKey[]> PagesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var cursor = "0";
        do
        {
            var reply = await NextAsync(cursor, cancellationToken);
            if (reply is null)
            {
                Refused = true;
                yield break;
            }

            cursor = (string?)reply[0] ?? "0";
            var page = (RedisKey[]?)reply[1] ?? [];
            Scanned += page.Length;
            yield return page;
        }
        while (cursor != "0");
    }

    private async Task<RedisResult[]?> NextAsync(string cursor, CancellationToken cancellationToken)
    {
        try
        {
            var reply = await context.Budget.SpendAsync(
                "scan",
                1 + (context.Budget.ScanCount / KeysPerCommand),
                () => connection.CallAsync(
                    database => database.ExecuteAsync("SCAN", cursor, "COUNT", context.Budget.ScanCount), cancellationToken, KeyspaceScan.DeadlineOf(connection)),
                cancellationToken);
            return (RedisResult[]?)reply;
        }
        catch (RedisServerException exception)
        {
            context.Report.NotAvailable("SCAN");
            context.Report.Error($"The server refuses SCAN, without which nothing can be looked at: {exception.Message}");
            return null;
        }
    }
}
