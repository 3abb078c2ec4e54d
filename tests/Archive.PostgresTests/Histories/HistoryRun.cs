using System.Collections.Concurrent;
using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Archive.PostgresTests.Histories;

/// <summary>Runs one history on two hosts and keeps the truth beside it.</summary>
internal sealed partial class HistoryRun : IAsyncDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly RedisServer redis;
    private readonly RedisKeys keys = new($"{Guid.NewGuid():N}:");
    private readonly string[] users = [Guid.NewGuid().ToString("D"), Guid.NewGuid().ToString("D")];
    private readonly Host[] hosts;
    private readonly SwitchedArchive[] archives;
    private readonly DateTimeOffset began = TimeProvider.System.GetUtcNow().AddMinutes(-1);
    private readonly List<Known> known = [];
    private readonly List<Family> families = [];

    // Users who logged in on a host without the archive.
    private readonly ConcurrentDictionary<int, bool> strayed = new();

    public HistoryRun(RedisServer redis, ISessionArchive archive, TimeSpan grace)
    {
        this.redis = redis;
        var options = new SessionOptions { RotationGrace = grace, RenewalInterval = TimeSpan.Zero };
        var mine = users.Select(UserReference.Of).ToArray();
        archives = [new SwitchedArchive(archive, mine), new SwitchedArchive(archive, mine)];
        hosts = [.. archives.Select(each => new Host(redis.Url, each, options, keys))];
    }

    private string BackupPrefix => $"backup:{keys.Prefix}";

    /// <summary>Runs it.</summary>
    /// <returns>The first broken promise, or null.</returns>
    public async Task<string?> RunAsync(History history)
    {
        for (var i = 0; i < history.Rounds.Count; i++)
        {
            var violation = await RoundAsync(history.Rounds[i]) ?? await CheckAsync();
            if (violation is not null)
            {
                return $"round {i}: {violation}";
            }
        }

        foreach (var archive in archives)
        {
            archive.IsAway = false;
        }

        LoseTombstones();
        await redis.ExecuteAsync("EVAL", "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do redis.call('DEL', key) end", "0", keys.Prefix);
        return await CheckAsync() is { } last ? $"after losing everything: {last}" : null;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in hosts)
        {
            await host.DisposeAsync();
        }
    }

    private async Task<string?> CheckAsync()
    {
        foreach (var session in known)
        {
            for (var host = 0; host < hosts.Length; host++)
            {
                if (session.Truth == Truth.Ended && await IsRevivedAsync(host, session))
                {
                    return $"{session} was ended and is valid on host {host}";
                }

                if (session.Truth == Truth.Live && !archives[host].IsAway && !(await hosts[host].Store.ValidateAsync(session.Token.Value, None)).IsValid)
                {
                    return $"{session} is live and is not valid on host {host}";
                }
            }
        }

        return null;
    }

    // Within its grace an old id answers for its successor, which is another session.
    private async Task<bool> IsRevivedAsync(int host, Known session)
    {
        try
        {
            return (await hosts[host].Store.ValidateAsync(session.Token.Value, None)).Session is { } valid && valid.Id == session.Token.Id;
        }
        catch (StorageUnavailableException) when (archives[host].IsAway)
        {
            return false;
        }
    }

    private List<Family> FamiliesOf(int user)
    {
        lock (families)
        {
            return [.. families.Where(each => each.User == user)];
        }
    }

    // What ended in Redis alone, and was answered to nobody, is as Redis's memory is.
    private void LoseTombstones()
    {
        foreach (var session in known.Where(session => session.EndedInRedis))
        {
            (session.EndedInRedis, session.Truth) = (false, Truth.Unknown);
        }
    }

    private Task<object?> CopyAsync(string from, string to) => redis.ExecuteAsync(
        "EVAL",
        """
        for _, key in ipairs(redis.call('KEYS', ARGV[2] .. '*')) do redis.call('DEL', key) end
        for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do redis.call('COPY', key, ARGV[2] .. string.sub(key, #ARGV[1] + 1)) end
        """,
        "0",
        from,
        to);
}
