using Maintenance.Storage.Denylist;
using Maintenance.Storage.Histories.Running;
using Maintenance.Storage.Histories.Truth;
using Maintenance.Storage.OAuth;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.TwoFactor;

namespace Maintenance.Storage.Histories.Tokens;

/// <summary>One client: takes its steps one after another and writes each call and answer down.</summary>
internal sealed class TokenClient(string name, TokenRun run)
{
    private const string RightCode = "123456";
    private const string WrongCode = "000000";
    private const string Provider = "provider";
    private const int Purposes = 2;

    private static readonly CancellationToken None = CancellationToken.None;

    private TokenWorld World => run.World;

    public async Task RunAsync(IReadOnlyList<TokenStep> steps)
    {
        foreach (var step in steps)
        {
            await RunAsync(step);
        }
    }

    /// <summary>Asks about everything, while nobody else is at work.</summary>
    public async Task AskAllAsync(IReadOnlyList<HeldToken> held, int denials)
    {
        for (var user = 0; user < TokenHistory.Users; user++)
        {
            var (about, id) = (TokenRun.OfUser(user), run.UserIds[user]);
            var session = run.Sessions[user].Token.Value;
            await TellAsync(run.Call(name, "session", about, user), async () => (await World.Sessions.ValidateAsync(session, None)).IsValid ? "valid" : "denied");
            await TellAsync(run.Call(name, "families", about, user), async () => $"{(await World.Families.ListAsync(id, None)).Count}");
            await TellAsync(run.Call(name, "find challenge", about, user), async () => await World.TwoFactor.FindActiveAsync(id, None) is null ? "none" : "one");
            for (var purpose = 0; purpose < Purposes; purpose++)
            {
                var asked = (OneTimePurpose)purpose;
                await TellAsync(
                    run.Call(name, "one-time tokens", about, user, variant: purpose), async () => $"{await World.OneTime.CountActiveAsync(asked, id, None)}");
            }
        }

        // Those that came last: what an order must explain may not be too much.
        foreach (var token in held.Where(token => token.Origin is TokenStepKind.IssueOneTime or TokenStepKind.BeginChallenge).TakeLast(8))
        {
            await TellAsync(
                run.Call(name, "peek", TokenRun.OfUser(token.User), token.User, token),
                async () => (token.Origin == TokenStepKind.IssueOneTime
                    ? (await World.OneTime.PeekAsync((OneTimePurpose)token.Purpose, token.Value, None)).IsAccepted
                    : await World.TwoFactor.PeekAsync(token.Value, None) is not null) ? "accepted" : "denied");
        }

        for (var target = 0; target < denials; target++)
        {
            await AskDeniedAsync(target);
        }
    }

    private Task RunAsync(TokenStep step)
    {
        var (user, id) = (step.User, run.UserIds[step.User]);
        var about = TokenRun.OfUser(user);
        switch (step.Kind)
        {
            case TokenStepKind.IssueFamily:
                return IssueFamilyAsync(user, step.Variant % 2);
            case TokenStepKind.RotateFamily:
                return WithAsync(TokenStepKind.IssueFamily, step.Target, RotateAsync);
            case TokenStepKind.RevokeFamily:
                return WithAsync(TokenStepKind.IssueFamily, step.Target, token => DoAsync(
                    "revoke family", token, () => World.Families.RevokeAsync(run.UserIds[token.User], token.Id, None)));
            case TokenStepKind.RevokeFamilies:
                return DoAsync("revoke families", user, 0, () => World.Families.RevokeAllAsync(id, None));

            case TokenStepKind.IssueOneTime:
                return IssueOneTimeAsync(user, step.Variant % Purposes);
            case TokenStepKind.RedeemOneTime:
                return WithAsync(TokenStepKind.IssueOneTime, step.Target, token => RedeemAsync(token, step.Variant == 3 ? 1 : 0));
            case TokenStepKind.InvalidateOneTime:
                return DoAsync("invalidate", user, step.Variant % Purposes, () => World.OneTime.InvalidateAllAsync((OneTimePurpose)(step.Variant % Purposes), id, None));

            case TokenStepKind.BeginChallenge:
                return BeginAsync(user);
            case TokenStepKind.AttemptChallenge:
                return WithAsync(TokenStepKind.BeginChallenge, step.Target, token => TellAsync(
                    Act("attempt", token), async () => Text((await World.TwoFactor.AttemptAsync(token.Value, None)).Outcome)));
            case TokenStepKind.CompleteChallenge:
                return WithAsync(TokenStepKind.BeginChallenge, step.Target, token => TellAsync(
                    Act("complete", token, step.Variant + 1), async () => Text((await World.TwoFactor.CompleteAsync(token.Value, step.Variant + 1, None)).Outcome)));
            case TokenStepKind.RedeemCode:
                return WithAsync(TokenStepKind.BeginChallenge, step.Target, token => TellAsync(
                    Act("redeem code", token, step.Variant % 2),
                    async () => Text((await World.TwoFactor.RedeemCodeAsync(token.Value, step.Variant % 2 == 0 ? RightCode : WrongCode, None)).Outcome)));
            case TokenStepKind.CancelChallenge:
                return WithAsync(TokenStepKind.BeginChallenge, step.Target, token => DoAsync(
                    "cancel", token, () => World.TwoFactor.CancelAsync(run.UserIds[token.User], token.Id, None)));
            case TokenStepKind.CancelChallenges:
                return DoAsync("cancel all", user, 0, () => World.TwoFactor.CancelAllAsync(id, None));

            case TokenStepKind.CreateState:
                return CreateStateAsync();
            case TokenStepKind.RedeemState:
                return WithAsync(TokenStepKind.CreateState, step.Target, token => RedeemStateAsync(token, step.Variant == 3 ? 1 : 0));
            case TokenStepKind.Deny:
                return DenyAsync(step.Target, step.Variant + 1);
            case TokenStepKind.AskDenied:
                return AskDeniedAsync(step.Target);

            case TokenStepKind.EndEverything:
                return DoAsync("end everything", user, 0, () => World.Sessions.RevokeAllAsync(id, null, None));
            default:
                return World.Redis is { } redis ? DamageAsync(step, redis.Connection, redis.Keys) : Task.CompletedTask;
        }
    }

    private async Task DamageAsync(TokenStep step, RedisConnection connection, RedisKeys keys)
    {
        var user = UserReference.Of(run.UserIds[step.User]);
        var purpose = ((OneTimePurpose)(step.Variant % Purposes)).Kind();
        Task DeleteAsync(string what, string key, HeldToken? token = null, int variant = 0)
        {
            var act = token is null ? run.Call(name, what, TokenRun.OfUser(step.User), step.User, variant: variant) : Act(what, token);
            return TellAsync(act, async () =>
            {
                await connection.CallAsync(database => database.KeyDeleteAsync(key), None);
                return "done";
            });
        }

        switch (step.Kind)
        {
            case TokenStepKind.EvictGeneration:
                await DeleteAsync("lose generation", keys.Generation(user));
                break;
            case TokenStepKind.EvictIndex:
                await ((step.Target % 3) switch
                {
                    0 => DeleteAsync("lose families", keys.RefreshIndex(user)),
                    1 => DeleteAsync("lose one-time", keys.OneTimeIndex(purpose, user), variant: step.Variant % Purposes),
                    _ => DeleteAsync("lose challenges", keys.ChallengeIndex(user)),
                });
                break;
            case TokenStepKind.EvictRecord:
                var origin = (step.Variant % 3) switch { 0 => TokenStepKind.IssueFamily, 1 => TokenStepKind.IssueOneTime, _ => TokenStepKind.BeginChallenge };
                await WithAsync(origin, step.Target, token => DeleteAsync("lose record", RecordKey(keys, token), token));
                break;
            case TokenStepKind.Sweep:
                var sweeper = World.Redis!.Value.Sweeper;
                await (step.Variant % 2 == 0 ? sweeper.CleanupAsync(None) : sweeper.ReconcileAsync(verifyGenerations: true, None));
                break;
        }
    }

    /// <summary>Where the record of a token lies.</summary>
    public string RecordKey(RedisKeys keys, HeldToken token)
    {
        var user = UserReference.Of(run.UserIds[token.User]);
        return token.Origin switch
        {
            TokenStepKind.IssueFamily => keys.RefreshFamily(user, token.Id),
            TokenStepKind.IssueOneTime => keys.OneTimeTokensOf(((OneTimePurpose)token.Purpose).Kind(), user) + token.Id.Value,
            _ => keys.ChallengesOf(user) + token.Id.Value,
        };
    }

    private async Task IssueFamilyAsync(int user, int bound)
    {
        var act = run.Call(name, "issue family", TokenRun.OfUser(user), user, variant: bound);
        var issued = await GuardAsync(act, () => World.Families.IssueAsync(
            new NewRefreshFamily { UserId = run.UserIds[user], SessionId = bound == 1 ? run.Sessions[user].Session.Id : null }, None));
        if (issued.Token is { } token)
        {
            run.Answer(act, "issued", number => new HeldToken
            {
                Number = number, Origin = TokenStepKind.IssueFamily, User = user, Value = token.Value, Family = number, Id = token.FamilyId, Bound = bound == 1,
            });
        }
        else
        {
            run.Answer(act, "no session");
        }
    }

    private async Task RotateAsync(HeldToken token)
    {
        var act = Act("rotate", token);
        var rotation = await GuardAsync(act, () => World.Families.RotateAsync(token.Value, None));
        var answer = rotation.Outcome switch
        {
            RefreshOutcome.Rotated => "rotated",
            RefreshOutcome.Replaced => "replaced",
            RefreshOutcome.Reused => "reused",
            _ => "denied",
        };
        run.Answer(act, answer, rotation.Token is not { } next ? null : number => new HeldToken
        {
            Number = number, Origin = token.Origin, User = token.User, Value = next.Value, Family = token.Family, Id = token.Id, Bound = token.Bound,
        });
    }

    private async Task IssueOneTimeAsync(int user, int purpose)
    {
        var act = run.Call(name, "issue one-time", TokenRun.OfUser(user), user, variant: purpose);
        var issued = await GuardAsync(act, () => World.OneTime.IssueAsync((OneTimePurpose)purpose, run.UserIds[user], null, None));
        run.Answer(act, "issued", number => new HeldToken
        {
            Number = number, Origin = TokenStepKind.IssueOneTime, User = user, Value = issued.Token.Value, Family = number, Id = issued.Token.Id, Purpose = purpose,
        });
    }

    private Task RedeemAsync(HeldToken token, int wrong)
    {
        var purpose = (OneTimePurpose)((token.Purpose + wrong) % Purposes);
        return TellAsync(Act("redeem", token, wrong), async () => (await World.OneTime.RedeemAsync(purpose, token.Value, None)).IsAccepted ? "redeemed" : "denied");
    }

    private async Task BeginAsync(int user)
    {
        var act = run.Call(name, "begin", TokenRun.OfUser(user), user);
        var begun = await GuardAsync(act, () => World.TwoFactor.BeginAsync(
            new NewTwoFactorChallenge { UserId = run.UserIds[user], Method = "mail", Code = RightCode }, None));
        if (begun.Token is { } token)
        {
            run.Answer(act, "begun", number => new HeldToken
            {
                Number = number, Origin = TokenStepKind.BeginChallenge, User = user, Value = token.Value, Family = number, Id = token.Id,
            });
        }
        else
        {
            run.Answer(act, "user locked");
        }
    }

    private async Task CreateStateAsync()
    {
        // Each state is an object of its own: it is named before it is there.
        var about = $"state {Guid.NewGuid():N}";
        var act = run.Call(name, "create state", about);
        var issued = await GuardAsync(act, () => World.States.CreateAsync(new NewOAuthState { Provider = Provider }, None));
        run.Answer(act, "created", number => new HeldToken
        {
            Number = number, Origin = TokenStepKind.CreateState, User = 0, Value = issued.State, Family = number, Nonce = issued.BrowserNonce, About = about,
        });
    }

    private Task RedeemStateAsync(HeldToken state, int otherBrowser) => TellAsync(
        run.Call(name, "redeem state", state.About!, target: state, variant: otherBrowser),
        async () => (await World.States.RedeemAsync(Provider, state.Value, otherBrowser == 1 ? null : state.Nonce, None)).Outcome switch
        {
            OAuthRedemptionOutcome.Redeemed => "redeemed",
            OAuthRedemptionOutcome.Mismatch => "mismatch",
            _ => "denied",
        });

    private Task DenyAsync(int target, int hours)
    {
        var about = TokenRun.OfDenial(target);
        return TellAsync(run.Call(name, "deny", about, variant: hours), async () =>
            (await World.Denylist.DenyAsync(DenylistId.OfTokenId(about), run.Began.AddHours(hours), null, None)).ToBoolean() ? "done" : "expired");
    }

    private Task AskDeniedAsync(int target)
    {
        var about = TokenRun.OfDenial(target);
        return TellAsync(run.Call(name, "denied?", about), async () =>
            await World.Denylist.FindAsync(DenylistId.OfTokenId(about), None) is { Until: { } until } ? $"{Math.Floor((until - run.Began).TotalHours):0}" : "0");
    }

    private TokenAct Act(string what, HeldToken token, int variant = 0) => run.Call(name, what, TokenRun.OfUser(token.User), token.User, token, variant);

    private Task WithAsync(TokenStepKind origin, int target, Func<HeldToken, Task> use) =>
        run.Find(origin, target) is { } token ? use(token) : Task.CompletedTask;

    private Task DoAsync<T>(string what, HeldToken token, Func<Task<T>> call) => TellAsync(Act(what, token), () => DoneAsync(call));

    private Task DoAsync<T>(string what, int user, int variant, Func<Task<T>> call) =>
        TellAsync(run.Call(name, what, TokenRun.OfUser(user), user, variant: variant), () => DoneAsync(call));

    private static async Task<string> DoneAsync<T>(Func<Task<T>> call)
    {
        await call();
        return "done";
    }

    private async Task TellAsync(TokenAct act, Func<Task<string>> call) => run.Answer(act, await GuardAsync(act, call));

    private async Task<T> GuardAsync<T>(TokenAct act, Func<Task<T>> call)
    {
        try
        {
            if (World.Redis is null)
            {
                // As a connection to Redis does before each command: the stores in memory never wait.
                await TurnScheduler.TurnAsync();
            }

            return await call();
        }
        catch (Exception exception) when (exception is not ViolationException)
        {
            throw new ViolationException(ViolationKind.CallFailed, $"{act}: {exception}");
        }
    }

    private static string Text(TwoFactorOutcome outcome) => outcome switch
    {
        TwoFactorOutcome.Allowed => "allowed",
        TwoFactorOutcome.Completed => "completed",
        TwoFactorOutcome.WrongCode => "wrong",
        TwoFactorOutcome.Locked => "locked",
        TwoFactorOutcome.UserLocked => "user locked",
        TwoFactorOutcome.StepUsed => "step used",
        TwoFactorOutcome.NotAttempted => "not attempted",
        _ => "denied",
    };
}
