using System.Security.Cryptography;
using Maintenance.Storage.Redis;
using StackExchange.Redis;

namespace Maintenance.Worker.Demo;

/// <summary>Where the demo plays: the embedded store, or a prefix of its own on a server that the caller names.</summary>
internal sealed class DemoStore : IAsyncDisposable
{
    private readonly EmbeddedStore? embedded;

    private DemoStore(EmbeddedStore? embedded, string url, string prefix)
    {
        this.embedded = embedded;
        Url = url;
        Prefix = prefix;
    }

    /// <summary>Whether it is the embedded one, which ends with the demo.</summary>
    public bool IsEmbedded => embedded is not null;

    /// <summary>The server.</summary>
    public string Url { get; }

    /// <summary>Prefix of every key.</summary>
    public string Prefix { get; }

    /// <summary>Starts the embedded store, or takes a server.</summary>
    /// <param name="url">A real server; null for the embedded one.</param>
    /// <param name="prefix">Prefix on a real server; null for a random one.</param>
    /// <param name="timeProvider">Clock.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<DemoStore> OpenAsync(string? url, string? prefix, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        if (url is not null)
        {
            return new DemoStore(null, url, prefix ?? $"demo:{RandomNumberGenerator.GetHexString(8, lowercase: true)}:");
        }

        var own = await EmbeddedStore.StartAsync(timeProvider, cancellationToken);
        return new DemoStore(own, own.Url, prefix: "");
    }

    /// <summary>Whether keys lie under the prefix already; the demo would mix its own with them and remove both.</summary>
    public async Task<bool> HoldsKeysAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        await foreach (var page in PagesAsync(connection, cancellationToken))
        {
            if (page.Count > 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Removes what the demo wrote on a real server. The embedded one vanishes whole.</summary>
    /// <returns>Keys removed.</returns>
    public async Task<long> RemoveKeysAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        if (embedded is not null)
        {
            return 0;
        }

        var removed = 0L;
        await foreach (var page in PagesAsync(connection, cancellationToken))
        {
            foreach (var batch in page.Chunk(500))
            {
                removed += await connection.CallAsync(
                    async database => (await Task.WhenAll(batch.Select(key => database.KeyDeleteAsync(key)))).LongCount(deleted => deleted), cancellationToken);
            }
        }

        return removed;
    }

    public async ValueTask DisposeAsync()
    {
        if (embedded is not null)
        {
            await embedded.DisposeAsync();
        }
    }

    private async IAsyncEnumerable<List<string>> PagesAsync(
        RedisConnection connection, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var primary in await connection.GetPrimariesAsync(cancellationToken))
        {
            var cursor = "0";
            do
            {
                var at = cursor;
                var reply = (RedisResult[])(await primary.Connection.CallAsync(
                    database => database.ExecuteAsync("SCAN", at, "COUNT", "1000"), cancellationToken))!;
                cursor = (string)reply[0]!;
                yield return [.. ((string[])reply[1]!).Where(key => key.StartsWith(Prefix, StringComparison.Ordinal))];
            }
            while (cursor != "0");
        }
    }
}
