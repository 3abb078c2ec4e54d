using System.Collections.Concurrent;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.OutageTests.Histories;

/// <summary>One history on a real Redis with two hosts. Throws a <see cref="ViolationException"/> when a promise is broken.</summary>
internal sealed partial class OutageRun : IAsyncDisposable
{
    private const int SmallCap = 6;
    private static readonly CancellationToken None = CancellationToken.None;

    // Far above the deadline of 0.2 s, for a machine that is busy; a call without a deadline never ends here.
    private static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(60);

    private readonly OutageHistory history;
    private readonly OutageRules rules;
    private readonly RedisServer redis;
    private readonly JournalFolder folder = new();
    private readonly OutageHost[] hosts = new OutageHost[2];
    private readonly int[] lives = new int[2];
    private readonly string[] users = [OutageHost.NewUserId(), OutageHost.NewUserId()];
    private readonly ConcurrentDictionary<string, long> endedUpTo = new();
    private readonly string prefix = $"{Guid.NewGuid():N}:";
    private bool dead;
    private bool paused;
    private bool refuses;

    private OutageRun(OutageHistory history, OutageRules rules, RedisServer redis)
    {
        (this.history, this.rules, this.redis) = (history, rules, redis);
        // Longer than a thread stands still. What is to find a planted bug may be wrong once in a thousand histories, and must not look away from most of them.
        Ledger = new Ledger(rules == OutageRules.Default ? TimeSpan.FromSeconds(15) : TimeSpan.Zero);
        for (var host = 0; host < hosts.Length; host++)
        {
            hosts[host] = Begin(host);
        }
    }

    public Ledger Ledger { get; }

    public static async Task<string?> FindAsync(ulong seed, OutageRules rules)
    {
        var drawn = OutageHistoryGenerator.Draw(seed);
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { AppendOnly = drawn.Durable });
        await using var run = new OutageRun(drawn, rules, server);
        try
        {
            await run.RunAsync();
            return null;
        }
        catch (ViolationException violation)
        {
            return $"Seed {seed}: {violation.Message}\n  durable {drawn.Durable}, memory {string.Join(", ", drawn.MemoryPolicy)}, journal {string.Join(", ", drawn.Journal)}\n  {run.Ledger.Trace}";
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (paused)
        {
            await redis.ResumeAsync();
        }

        foreach (var host in hosts)
        {
            await host.DisposeAsync();
        }

        folder.Dispose();
    }

    private async Task RunAsync()
    {
        await Task.WhenAll(hosts.Select(host => host.Watch.PassAsync(None)));
        foreach (var round in history.Rounds)
        {
            await Task.WhenAll(round.Select(step => Task.Run(() => TakeAsync(step))));
            CheckCaps();
        }

        await EndAsync();
    }

    /// <summary>Redis is well, every host has replayed, and whatever anybody promised holds everywhere.</summary>
    private async Task EndAsync()
    {
        await ReviveAsync();
        if (refuses)
        {
            await RefuseWritesAsync();
        }

        Ledger.Write("everybody recovers");
        // Twice: what one host moves late, the other may have to end.
        foreach (var host in hosts.Concat(hosts))
        {
            try
            {
                await Eventually.TrueAsync(() => host.Watch.PassAsync(None), TimeSpan.FromSeconds(60));
            }
            catch (TimeoutException)
            {
                throw new ViolationException($"a host does not come back: away {host.Mode.IsRedisAway} ({host.Mode.Reason}), {host.Pending.Count} entries left");
            }
        }

        foreach (var session in Ledger.Sessions)
        {
            var mustLive = Ledger.MustLive(session) && session.CreatedAt.ToUnixTimeMilliseconds() * 1000 > endedUpTo.GetValueOrDefault(UserReference.Of(users[session.User]).Value);
            for (var host = 0; host < hosts.Length; host++)
            {
                for (var at = 0; at < session.Tokens.Count; at++)
                {
                    var (token, ended) = (session.Tokens[at], Ledger.EndedAnywhere(session, at));
                    var valid = await SettledAsync(host, token);
                    if (valid && ended is not null)
                    {
                        throw new ViolationException($"{token.Id.ToLogString()} is valid on host {host} after everybody has replayed; {ended.Outcome} was answered on host {ended.Host}");
                    }

                    if (!valid && mustLive && token == session.Tokens[^1])
                    {
                        throw new ViolationException($"{token.Id.ToLogString()} has ended, and nothing that happened may have ended it");
                    }
                }
            }
        }
    }

    // A busy machine may miss a deadline; that is no answer.
    private async Task<bool> SettledAsync(int host, SessionToken token)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return (await hosts[host].Sessions.ValidateAsync(token.Value, None)).IsValid;
            }
            catch (StorageUnavailableException) when (attempt < 50)
            {
                await hosts[host].Watch.PassAsync(None);
            }
        }
    }

    private Task TakeAsync(Step step) => step.Kind switch
    {
        StepKind.LogIn => LogInAsync(step),
        StepKind.Validate => OnASessionAsync(step, ValidateAsync),
        StepKind.Rotate => OnASessionAsync(step, RotateAsync),
        StepKind.Revoke => OnASessionAsync(step, RevokeAsync),
        StepKind.RevokeAll => RevokeAllAsync(step),
        StepKind.Look => LookAsync(step),
        StepKind.RestartHost => RestartHostAsync(step),
        StepKind.Kill => KillAsync(),
        StepKind.Pause => PauseAsync(),
        StepKind.Revive => ReviveAsync(),
        StepKind.Wipe => WipeAsync(),
        _ => dead || paused ? Task.CompletedTask : RefuseWritesAsync(),
    };

    private async Task LookAsync(Step step)
    {
        var done = await hosts[step.Host].Watch.PassAsync(None).WaitAsync(LongestCall);
        Ledger.Write($"{step}: {(hosts[step.Host].Mode.IsRedisAway ? "away" : "on Redis")}{(done ? ", done" : "")}");
    }

    private async Task RestartHostAsync(Step step)
    {
        Ledger.Write($"{step}");
        await hosts[step.Host].DisposeAsync();
        lives[step.Host]++;
        hosts[step.Host] = Begin(step.Host);
    }

    private void CheckCaps()
    {
        foreach (var host in hosts.Where(_ => history.SmallCaps))
        {
            if (host.Get<MemorySessions>().Count > SmallCap || host.Pending.Count > SmallCap)
            {
                throw new ViolationException($"{host.Get<MemorySessions>().Count} sessions and {host.Pending.Count} entries are above the cap of {SmallCap}");
            }
        }
    }

    private OutageHost Begin(int host)
    {
        List<(string, string)> settings =
        [
            ("Storage:Redis:KeyPrefix", prefix), ("Storage:Redis:Deadline", "00:00:00.2"), ("Storage:Redis:ConnectTimeout", "00:00:05"), ("Storage:Outage:Sessions", history.MemoryPolicy[host] ? "Memory" : "Deny"),
            ("Storage:Sessions:RotationGrace", "00:05:00"), ("Storage:Analytics:RecordSessions", "false"),
        ];
        if (history.Journal[host])
        {
            settings.Add(folder.Setting($"{host}"));
        }

        if (history.SmallCaps)
        {
            settings.AddRange([("Storage:Memory:MaxEntriesPerKind", $"{SmallCap}"), ("Storage:Outage:JournalEntries", $"{SmallCap}")]);
        }

        var begun = new OutageHost(redis, rules, automatic: false, [.. settings]);
        begun.Get<JournalReplay>().CarriesOut = (entry, until) =>
        {
            if (entry is { Kind: RevocationKind.User, User: { } user })
            {
                endedUpTo.AddOrUpdate(user, until, (_, earlier) => Math.Max(earlier, until));
            }
        };
        return begun;
    }
}
