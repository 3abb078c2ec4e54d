using System.Collections.Concurrent;
using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Archive.PostgresTests.Histories;

/// <summary>What is known of a token.</summary>
internal enum Truth
{
    /// <summary>It must be valid: nothing ended it, and the archive brings back what Redis has lost.</summary>
    Live,

    /// <summary>Things that happened at the same time may have ended it.</summary>
    Unknown,

    /// <summary>Its end was answered: it must never be valid again.</summary>
    Ended,
}

/// <summary>Runs one history on two hosts and keeps the truth beside it.</summary>
internal sealed class HistoryRun : IAsyncDisposable
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

    private async Task<string?> RoundAsync(IReadOnlyList<Step> steps)
    {
        var atOnce = steps.Count > 1;
        var evicts = steps.Any(step => step.Evicts);
        var before = known.ToList();
        var born = new ConcurrentBag<Known>();
        var ended = new ConcurrentBag<Known>();
        var doubtful = new ConcurrentBag<Known>();
        var violations = new ConcurrentBag<string>();

        async Task StepAsync(Step step)
        {
            var store = hosts[step.Host].Store;
            var user = users[step.User];
            var mine = before.Where(session => session.User == step.User).ToList();
            var pick = mine.Count > 0 ? mine[step.Pick % mine.Count] : null;
            var own = FamiliesOf(step.User);
            var family = own.Count > 0 ? own[step.Pick % own.Count] : null;
            var away = archives[step.Host].IsAway;
            switch (step.Kind)
            {
                case StepKind.LogIn:
                    born.Add(new Known(step.User, (await store.CreateAsync(new NewSession { UserId = user }, None)).Token) { Truth = away ? Truth.Unknown : Truth.Live });
                    if (away)
                    {
                        // Redis may have had no generation, and the one that it made is above the archive's.
                        mine.ForEach(doubtful.Add);
                        strayed.TryAdd(step.User, true);
                    }

                    break;
                case StepKind.Issue when pick is not null:
                    if ((await hosts[step.Host].Families.IssueAsync(new NewRefreshFamily { UserId = user, SessionId = pick.Token.Id }, None)).Token is { } first)
                    {
                        var issuedFamily = new Family(step.User, pick, first);
                        for (var i = 0; i < 2; i++)
                        {
                            if ((await hosts[step.Host].Families.RotateAsync(issuedFamily.Tokens[^1].Value, None)).Token is { } exchanged)
                            {
                                issuedFamily.Tokens.Add(exchanged);
                            }
                        }

                        lock (families)
                        {
                            families.Add(issuedFamily);
                        }
                    }

                    break;
                case StepKind.Refresh when family is not null:
                    var refreshed = await hosts[step.Host].Families.RotateAsync(family.Tokens[^1].Value, None);
                    if (refreshed.Token is { } next)
                    {
                        family.Tokens.Add(next);
                        if (family.Session.Chain()[^1].IsRevoked)
                        {
                            violations.Add($"{family.Session} was ended and is valid by its refresh token: {refreshed.Outcome}");
                        }
                    }
                    else if (refreshed.Outcome == RefreshOutcome.Reused)
                    {
                        // A backup has brought an older record back.
                        family.Session.Chain().ForEach(ended.Add);
                    }

                    break;
                case StepKind.Reuse or StepKind.ReuseAndCrash when family is { Tokens.Count: > 2 }:
                    var stolen = family.Tokens[0].Value;
                    var crashes = step.Kind == StepKind.ReuseAndCrash;
                    var reused = await (crashes ? hosts[step.Host].RedisFamilies : hosts[step.Host].Families).RotateAsync(stolen, None);
                    if (reused.Outcome == RefreshOutcome.Reused)
                    {
                        foreach (var each in family.Session.Chain())
                        {
                            // Until Redis loses the mark: the archive has not been told.
                            each.EndedInRedis = crashes && each.Truth != Truth.Ended;
                            ended.Add(each);
                        }
                    }

                    break;
                case StepKind.ArchiveAway:
                    archives[step.Host].IsAway = !away;
                    break;
                case StepKind.BackUp:
                    await CopyAsync(keys.Prefix, BackupPrefix);
                    break;
                case StepKind.RestoreAndReplay when (await redis.KeysAsync(BackupPrefix + "*")).Count > 0 && !away:
                    LoseTombstones();
                    await CopyAsync(BackupPrefix, keys.Prefix);
                    // A record from before a log-out of all others carries the generation from before, and a backup may hold one that the archive never heard of; denied is always
                    // allowed.
                    before.Where(session => session.WasKept || strayed.ContainsKey(session.User)).ToList().ForEach(doubtful.Add);
                    await hosts[step.Host].Replay.RunAsync(began, null, None);
                    break;
                case StepKind.Validate when pick is not null:
                    if (pick.Truth == Truth.Ended && await IsRevivedAsync(step.Host, pick))
                    {
                        violations.Add($"{pick} was ended and is valid on host {step.Host}");
                    }

                    break;
                case StepKind.Rotate when pick is not null:
                    var rotation = await store.RotateAsync(pick.Token.Value, new SessionChanges(), None);
                    if (rotation.Issued is { } issued)
                    {
                        ended.Add(pick);
                        var successor = new Known(step.User, issued.Token) { Truth = pick.Truth == Truth.Live ? Truth.Live : Truth.Unknown, WasKept = pick.WasKept };
                        pick.Next = successor;
                        born.Add(successor);
                        if (pick.Truth == Truth.Ended)
                        {
                            violations.Add($"{pick} was ended and could be rotated");
                        }
                    }
                    else if (pick.Truth == Truth.Live && !atOnce && !away)
                    {
                        violations.Add($"{pick} is live and its rotation was {rotation.Outcome} ({rotation.Denial})");
                    }
                    else
                    {
                        doubtful.Add(pick);
                    }

                    break;
                case StepKind.Revoke when pick is not null:
                    var chain = pick.Chain();
                    // Whether there was something to end is the end of what the id leads to; otherwise the way there may be lost.
                    if ((await store.RevokeAsync(user, pick.Token.Id, None)).ToBoolean())
                    {
                        foreach (var each in chain)
                        {
                            each.IsRevoked = true;
                            ended.Add(each);
                        }
                    }
                    else
                    {
                        ended.Add(pick);
                        chain.ForEach(doubtful.Add);
                    }

                    break;
                case StepKind.RevokeOthers when pick is not null:
                    var revoked = await store.RevokeAllAsync(user, pick.Token.Id, None);
                    mine.Where(session => !pick.Chain().Contains(session)).ToList().ForEach(ended.Add);
                    pick.Chain().Where(session => session != pick).ToList().ForEach(doubtful.Add);
                    pick.Chain().ForEach(session => session.WasKept = true);
                    if (!revoked.KeptSession)
                    {
                        ended.Add(pick);
                        if (pick.Truth == Truth.Live && !atOnce && !away)
                        {
                            violations.Add($"{pick} is live and was not kept");
                        }
                    }
                    else if (atOnce)
                    {
                        doubtful.Add(pick);
                    }

                    break;
                case StepKind.RevokeAll:
                    await store.RevokeAllAsync(user, null, None);
                    mine.ForEach(ended.Add);
                    break;
                case StepKind.EvictRecord when pick is not null:
                    await redis.ExecuteAsync("DEL", keys.Session(UserReference.Of(user), pick.Token.Id));
                    break;
                case StepKind.EvictGeneration:
                    await redis.ExecuteAsync("DEL", keys.Generation(UserReference.Of(user)));
                    break;
                case StepKind.EvictAnyKey:
                    LoseTombstones();
                    var all = await redis.KeysAsync(keys.Prefix + "*");
                    if (all.Count > 0)
                    {
                        await redis.ExecuteAsync("DEL", all[step.Pick % all.Count]);
                    }

                    break;
                case StepKind.Wipe:
                    LoseTombstones();
                    foreach (var key in await redis.KeysAsync(keys.Prefix + "*"))
                    {
                        await redis.ExecuteAsync("DEL", key);
                    }

                    break;
                default:
                    break;
            }
        }

        async Task TryAsync(Step step)
        {
            try
            {
                await StepAsync(step);
            }
            catch (StorageUnavailableException)
            {
                // Nothing was answered, and it may have happened.
                before.Where(session => session.User == step.User).ToList().ForEach(doubtful.Add);
            }
        }

        await Task.WhenAll(steps.Select(TryAsync));
        // What Redis loses while it is written may take a generation with it, and with that the sessions of the user: denied is always allowed.
        var doubted = atOnce && (evicts || steps.Any(step => step.Kind is StepKind.RevokeOthers or StepKind.RevokeAll or StepKind.Revoke));
        foreach (var session in born.Concat(before))
        {
            session.Truth = session.Truth == Truth.Ended || ended.Contains(session) ? Truth.Ended
                : doubted || doubtful.Contains(session) ? Truth.Unknown
                : session.Truth;
        }

        known.AddRange(born);
        return violations.FirstOrDefault();
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

    private sealed class Known(int user, SessionToken token)
    {
        public int User { get; } = user;

        public SessionToken Token { get; } = token;

        public Truth Truth { get; set; }

        /// <summary>Ended by a log-out of its own, not replaced by another id and not with all others.</summary>
        public bool IsRevoked { get; set; }

        /// <summary>Kept by a log-out of all others, in a new generation.</summary>
        public bool WasKept { get; set; }

        /// <summary>Ended by a script whose answer was lost.</summary>
        public bool EndedInRedis { get; set; }

        /// <summary>What a rotation has replaced it by.</summary>
        public Known? Next { get; set; }

        /// <summary>This, and what it leads to.</summary>
        public List<Known> Chain()
        {
            List<Known> chain = [this];
            while (chain[^1].Next is { } next)
            {
                chain.Add(next);
            }

            return chain;
        }

        public override string ToString() => $"session {Token.Id.ToLogString()} of user {User}";
    }

    private sealed class Family(int user, Known session, RefreshToken first)
    {
        public int User { get; } = user;

        public Known Session { get; } = session;

        public List<RefreshToken> Tokens { get; } = [first];
    }
}
