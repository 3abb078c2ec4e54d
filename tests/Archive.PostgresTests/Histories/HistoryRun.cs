using System.Collections.Concurrent;
using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
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
    private readonly List<Known> known = [];

    public HistoryRun(RedisServer redis, ISessionArchive archive)
    {
        this.redis = redis;
        // A grace that is over at once: an old id is ended as soon as its rotation is answered.
        var options = new SessionOptions { RotationGrace = TimeSpan.FromMilliseconds(1), RenewalInterval = TimeSpan.Zero };
        hosts = [new Host(redis.Url, archive, options, keys), new Host(redis.Url, archive, options, keys)];
    }

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
            switch (step.Kind)
            {
                case StepKind.LogIn:
                    born.Add(new Known(step.User, (await store.CreateAsync(new NewSession { UserId = user }, None)).Token));
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
                        born.Add(new Known(step.User, issued.Token));
                        if (pick.Truth == Truth.Ended)
                        {
                            violations.Add($"{pick} was ended and could be rotated");
                        }
                    }
                    else if (pick.Truth == Truth.Live && !atOnce)
                    {
                        violations.Add($"{pick} is live and its rotation was {rotation.Outcome} ({rotation.Denial})");
                    }
                    else
                    {
                        doubtful.Add(pick);
                    }

                    break;
                case StepKind.Revoke when pick is not null:
                    await store.RevokeAsync(user, pick.Token.Id, None);
                    ended.Add(pick);
                    break;
                case StepKind.RevokeOthers when pick is not null:
                    var revoked = await store.RevokeAllAsync(user, pick.Token.Id, None);
                    mine.Where(session => session != pick).ToList().ForEach(ended.Add);
                    if (!revoked.KeptSession)
                    {
                        ended.Add(pick);
                        if (pick.Truth == Truth.Live && !atOnce)
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
                    var all = await redis.KeysAsync(keys.Prefix + "*");
                    if (all.Count > 0)
                    {
                        await redis.ExecuteAsync("DEL", all[step.Pick % all.Count]);
                    }

                    break;
                case StepKind.Wipe:
                    foreach (var key in await redis.KeysAsync(keys.Prefix + "*"))
                    {
                        await redis.ExecuteAsync("DEL", key);
                    }

                    break;
                default:
                    break;
            }
        }

        await Task.WhenAll(steps.Select(StepAsync));
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

                if (session.Truth == Truth.Live && !(await hosts[host].Store.ValidateAsync(session.Token.Value, None)).IsValid)
                {
                    return $"{session} is live and is not valid on host {host}";
                }
            }
        }

        return null;
    }

    // Within its grace an old id answers for its successor, which is another session.
    private async Task<bool> IsRevivedAsync(int host, Known session) =>
        (await hosts[host].Store.ValidateAsync(session.Token.Value, None)).Session is { } valid && valid.Id == session.Token.Id;

    private sealed class Known(int user, SessionToken token)
    {
        public int User { get; } = user;

        public SessionToken Token { get; } = token;

        public Truth Truth { get; set; }

        public override string ToString() => $"session {Token.Id.ToLogString()} of user {User}";
    }
}
