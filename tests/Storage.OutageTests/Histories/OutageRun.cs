using System.Collections.Concurrent;
using System.Diagnostics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.OutageTests.Histories;

/// <summary>One history on a real Redis with two hosts. Throws a <see cref="ViolationException"/> when a promise is broken.</summary>
internal sealed class OutageRun : IAsyncDisposable
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
        for (var host = 0; host < hosts.Length; host++)
        {
            hosts[host] = Begin(host);
        }
    }

    public Ledger Ledger { get; } = new();

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

    private async Task LogInAsync(Step step)
    {
        var (host, life, began) = (hosts[step.Host], lives[step.Host], Ledger.Now());
        var answer = await CallAsync(step, () => host.LogInAsync(users[step.User]));
        if (answer is null)
        {
            return;
        }

        var inMemory = host.Get<MemorySessions>().Contains(UserReference.Of(users[step.User]), answer.Token.Id);
        if (host.Mode.IsRedisAway && !history.MemoryPolicy[step.Host] && inMemory)
        {
            throw new ViolationException($"{step}: the policy says Deny");
        }

        Ledger.Add(new TrackedSession(step.User, step.Host, life, answer, inMemory, began));
        Ledger.Write($"{step}: {answer.Token.Id.ToLogString()} {(inMemory ? "in memory" : "in Redis")}");
    }

    private async Task ValidateAsync(Step step, TrackedSession session)
    {
        var host = hosts[step.Host];
        var at = step.Pick % session.Tokens.Count;
        var token = session.Tokens[at];
        var (began, away) = (Ledger.Now(), host.Mode.IsRedisAway);
        var answer = await CallAsync(step, async () => (SessionValidation?)await host.Sessions.ValidateAsync(token.Value, None));
        var valid = answer?.IsValid == true;
        Ledger.Write($"{step}: {token.Id.ToLogString()} {answer?.Denial.ToString() ?? "unavailable"}");
        if (valid && Ledger.EndedOn(step.Host, session, at, began) is { } ended)
        {
            throw new ViolationException($"{step}: {token.Id.ToLogString()} is valid on the host that answered {ended.Outcome}");
        }

        if (valid && away && host.Mode.IsRedisAway && !(session.BornInMemory && session.Host == step.Host && session.HostLife == lives[step.Host]))
        {
            throw new ViolationException($"{step}: {token.Id.ToLogString()}, which only Redis knows, is valid while Redis is away");
        }

        if (answer is { IsValid: false } && away && !history.MemoryPolicy[step.Host] && host.Mode.IsRedisAway && answer.Value.Denial == SessionDenial.NotFound)
        {
            throw new ViolationException($"{step}: the policy says Deny, and the session was looked up in memory");
        }
    }

    private async Task RotateAsync(Step step, TrackedSession session)
    {
        var (host, began) = (hosts[step.Host], Ledger.Now());
        var answer = await CallAsync(step, () => host.Sessions.RotateAsync(session.Tokens[^1].Value, new SessionChanges(), None));
        // A rotation without an answer may have happened, and then the token that is known ends with the grace.
        session.Doubtful |= answer is null;
        if (answer?.Issued is { } issued)
        {
            if (Ledger.EndedOn(step.Host, session, session.Tokens.Count - 1, began) is { } ended)
            {
                throw new ViolationException($"{step}: rotated on the host that answered {ended.Outcome}");
            }

            session.Tokens.Add(issued.Token);
        }

        Ledger.Write($"{step}: {answer?.Outcome.ToString() ?? "unavailable"} {answer?.Issued?.Token.Id.ToLogString()}");
    }

    private async Task RevokeAsync(Step step, TrackedSession session)
    {
        var host = hosts[step.Host];
        var (began, waiting, known) = (Ledger.Now(), host.Pending.Count, session.Tokens.Count);
        var id = session.Tokens[known - 1].Id;
        // Sent, and maybe carried out whenever the server goes on.
        session.Doubtful = true;
        var answer = await CallAsync(step, async () => (Revocation?)await host.Sessions.RevokeAsync(users[session.User], id, None));
        Ledger.Write($"{step}: {id.ToLogString()} {answer?.ToString() ?? "unavailable"}");
        if (answer is { } revoked && (revoked.Ended > 0 || revoked.Outcome == RevocationOutcome.Journalled))
        {
            Ledger.Add(now => new Claim(step.Host, session.User, session, known, revoked.Outcome, began, now));
        }

        CheckUnavailable(step, answer is null, waiting, host);
    }

    private async Task RevokeAllAsync(Step step)
    {
        var host = hosts[step.Host];
        var (began, waiting, sent) = (Ledger.Now(), host.Pending.Count, !host.Mode.IsRedisAway);
        var answer = await CallAsync(step, () => host.Sessions.RevokeAllAsync(users[step.User], null, None));
        Ledger.Write($"{step}: {answer?.ToString() ?? "unavailable"}");
        if (answer is { } revoked)
        {
            Ledger.Add(now => new Claim(step.Host, step.User, null, int.MaxValue, revoked.Outcome, began, now));
        }

        if (answer is null || (sent && answer.Outcome == RevocationOutcome.Journalled))
        {
            Ledger.Doubt(step.User);
        }

        CheckUnavailable(step, answer is null, waiting, host);
    }

    // Nothing that was answered as unavailable may turn up as journalled. With another step at the same time the count says nothing.
    private void CheckUnavailable(Step step, bool unavailable, int before, OutageHost host)
    {
        if (unavailable && history.Rounds.Any(round => round.Count == 1 && ReferenceEquals(round[0], step)) && host.Pending.Count > before)
        {
            throw new ViolationException($"{step}: unavailable was answered, and the journal has it");
        }
    }

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

    private async Task KillAsync()
    {
        if (dead)
        {
            return;
        }

        if (paused)
        {
            await redis.ResumeAsync();
            paused = false;
        }

        Ledger.Write("Kill");
        await redis.KillAsync();
        dead = true;
        if (!history.Durable)
        {
            Ledger.Lose();
        }
    }

    private async Task PauseAsync()
    {
        if (!dead && !paused)
        {
            Ledger.Write("Pause");
            await redis.PauseAsync();
            paused = true;
        }
    }

    private async Task ReviveAsync()
    {
        if (paused)
        {
            Ledger.Write("Revive");
            await redis.ResumeAsync();
            paused = false;
        }
        else if (dead)
        {
            Ledger.Write("Revive");
            await redis.RestartAsync();
            // It starts as it was configured.
            (dead, refuses) = (false, false);
        }
    }

    private async Task WipeAsync()
    {
        if (!dead && !paused && !refuses)
        {
            Ledger.Write("Wipe");
            // Before and after: what is created meanwhile may be lost or not.
            Ledger.Lose();
            await redis.FlushAllAsync();
            Ledger.Lose();
        }
    }

    private async Task RefuseWritesAsync()
    {
        refuses = !refuses;
        Ledger.Write(refuses ? "refuse writes" : "take writes");
        await redis.ExecuteAsync("CONFIG", "SET", "min-replicas-to-write", refuses ? "1" : "0");
    }

    private Task OnASessionAsync(Step step, Func<Step, TrackedSession, Task> act)
    {
        var sessions = Ledger.Sessions.Where(session => session.User == step.User).ToList();
        return sessions.Count == 0 ? Task.CompletedTask : act(step, sessions[^(1 + (step.Pick % sessions.Count))]);
    }

    private static async Task<T?> CallAsync<T>(Step step, Func<Task<T>> call)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            return await call().WaitAsync(LongestCall);
        }
        catch (StorageUnavailableException)
        {
            return default;
        }
        catch (TimeoutException)
        {
            throw new ViolationException($"{step}: no answer within {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
        }
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
