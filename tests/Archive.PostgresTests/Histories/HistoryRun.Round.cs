using System.Collections.Concurrent;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;

namespace Maintenance.Archive.PostgresTests.Histories;

/// <content>The steps of a round, and what each answer says of the truth.</content>
internal sealed partial class HistoryRun
{
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
}
