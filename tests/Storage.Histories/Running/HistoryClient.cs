using Maintenance.Storage.Histories.Generation;
using Maintenance.Storage.Histories.Truth;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Histories.Running;

/// <summary>Carries out steps, one after the other, and compares each answer with what the ledger allows.</summary>
internal sealed class HistoryClient(string name, World world)
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly Ledger ledger = world.Ledger;

    public async Task RunAsync(IReadOnlyList<Operation> steps)
    {
        foreach (var step in steps)
        {
            await RunAsync(step);
        }
    }

    public async Task ValidateAsync(TrackedSession target)
    {
        var act = ledger.Call(name, OperationKind.Validate, target.User, target);
        var result = await GuardAsync(act, () => world.Store.ValidateAsync(target.Token.Value, None));
        if (result.Session is not { } session)
        {
            ledger.Answer(act, $"denied ({result.Denial})");
            MustHaveEnded(act, target);
            return;
        }

        ledger.Answer(act, $"valid{(session.Id == target.Token.Id ? "" : " as its successor")}");
        MustNotHaveEnded(act, target);
        if (session.UserId != world.UserIds[target.User])
        {
            throw new ViolationException(ViolationKind.AcrossUsers, $"{target} answered with the session of another user");
        }

        if (session.Id == target.Token.Id && ledger.Of(target, OperationKind.Rotate).Any(rotation => rotation.Done && rotation.Answered < act.Called))
        {
            throw new ViolationException(ViolationKind.WrongSuccessor, $"{target} still answers for itself after its rotation");
        }
    }

    private Task RunAsync(Operation step)
    {
        var user = step.User % world.UserIds.Count;
        switch (step.Kind)
        {
            case OperationKind.Create:
            case OperationKind.CreateShort:
                return CreateAsync(step.Kind, user);
            case OperationKind.RevokeAll:
                return CommandAsync(step.Kind, user, async () => $"{(await world.Store.RevokeAllAsync(world.UserIds[user], null, None)).EndedSessions} ended");
            case OperationKind.List:
                return ListAsync(user);
            case OperationKind.EvictIndex:
                return CommandAsync(step.Kind, user, async () => $"{await world.CommandAsync("DEL", world.Keys.SessionIndex(world.References[user]))}");
            case OperationKind.EvictGeneration:
                return CommandAsync(step.Kind, user, async () => $"{await world.CommandAsync("DEL", world.Keys.Generation(world.References[user]))}");
            case OperationKind.Cleanup:
                return CommandAsync(step.Kind, user, () => DoneAsync(world.Sweeper.CleanupAsync(None)));
            case OperationKind.Reconcile:
                return CommandAsync(step.Kind, user, () => DoneAsync(world.Sweeper.ReconcileAsync(verifyGenerations: step.User == 0, None)));
            default:
                var sessions = ledger.Sessions;
                return sessions.Count == 0 ? Task.CompletedTask : RunAsync(step, sessions[step.Session % sessions.Count]);
        }
    }

    private Task RunAsync(Operation step, TrackedSession target)
    {
        var user = world.References[target.User];
        switch (step.Kind)
        {
            case OperationKind.Validate:
                return ValidateAsync(target);
            case OperationKind.Rotate:
                return RotateAsync(target);
            case OperationKind.Revoke:
                return RevokeAsync(target);
            case OperationKind.RevokeAllExcept:
                return RevokeOthersAsync(target);
            case OperationKind.StealToken:
                return StealAsync(target);
            case OperationKind.Expire:
                return ExpireAsync(target);
            case OperationKind.EvictRecord:
                return CommandAsync(step.Kind, target, async () => $"{await world.CommandAsync("DEL", world.RecordKey(target))}");
            case OperationKind.SkewScore:
                var score = step.User == 1 ? 4_000_000_000_000 : 1000;
                return CommandAsync(step.Kind, target, async () => $"{await world.CommandAsync("ZADD", world.Keys.SessionIndex(user), "XX", score, target.Token.Id.Value)}");
            case OperationKind.LoseTtl:
                string[] keys = [world.RecordKey(target), world.Keys.SessionIndex(user), world.Keys.Generation(user)];
                return CommandAsync(step.Kind, target, async () => $"{await world.CommandAsync("PERSIST", keys[step.User % keys.Length])}");
            default:
                throw new InvalidOperationException($"Unknown step {step}.");
        }
    }

    private async Task CreateAsync(OperationKind kind, int user)
    {
        var act = ledger.Call(name, kind, user);
        TimeSpan? life = kind == OperationKind.CreateShort ? Ledger.ShortLife : null;
        var issued = await GuardAsync(act, () => world.Store.CreateAsync(
            new NewSession { UserId = world.UserIds[user], SlidingExpiration = life, AbsoluteExpiration = life }, None));
        var session = ledger.Born(act, issued.Token);
        ledger.Answer(act, $"s{session.Number}");
    }

    private async Task RotateAsync(TrackedSession target)
    {
        var act = ledger.Call(name, OperationKind.Rotate, target.User, target);
        var rotation = await GuardAsync(act, () => world.Store.RotateAsync(target.Token.Value, new SessionChanges(), None));
        switch (rotation.Outcome)
        {
            case RotationOutcome.Rotated:
                if (ledger.WasRotated(target))
                {
                    throw new ViolationException(ViolationKind.WrongSuccessor, $"{target} was rotated twice");
                }

                var session = ledger.Born(act, rotation.Issued!.Token, target);
                ledger.Answer(act, $"s{session.Number}");
                MustNotHaveEnded(act, target);
                break;
            case RotationOutcome.AlreadyRotated:
                ledger.Answer(act, "already rotated", done: false);
                MustNotHaveEnded(act, target);
                break;
            default:
                ledger.Answer(act, $"denied ({rotation.Denial})", done: false);
                MustHaveEnded(act, target);
                break;
        }
    }

    private async Task RevokeAsync(TrackedSession target)
    {
        var act = ledger.Call(name, OperationKind.Revoke, target.User, target);
        var ended = await GuardAsync(act, () => world.Store.RevokeAsync(world.UserIds[target.User], target.Token.Id, None));
        ledger.Answer(act, ended ? "ended" : "nothing to end");
        if (!ended)
        {
            MustHaveEnded(act, target);
        }
    }

    private async Task RevokeOthersAsync(TrackedSession target)
    {
        var act = ledger.Call(name, OperationKind.RevokeAllExcept, target.User, target);
        var result = await GuardAsync(act, () => world.Store.RevokeAllAsync(world.UserIds[target.User], target.Token.Id, None));
        ledger.Answer(act, $"{result.EndedSessions} ended, {(result.KeptSession ? "kept" : "nothing to keep")}");
        if (result.KeptSession)
        {
            MustNotHaveEnded(act, target);
        }
        else
        {
            MustHaveEnded(act, target);
        }
    }

    private async Task ListAsync(int user)
    {
        var act = ledger.Call(name, OperationKind.List, user);
        var listed = await GuardAsync(act, () => world.Store.ListAsync(world.UserIds[user], None));
        ledger.Answer(act, $"{listed.Count} sessions");
        foreach (var session in listed)
        {
            if (session.UserId != world.UserIds[user])
            {
                throw new ViolationException(ViolationKind.AcrossUsers, $"the list of user {user} holds a session of another");
            }

            if (ledger.Sessions.FirstOrDefault(known => known.Token.Id == session.Id) is { } known)
            {
                MustNotHaveEnded(act, known);
            }
        }
    }

    private async Task StealAsync(TrackedSession target)
    {
        if (world.UserIds.Count == 1)
        {
            return;
        }

        var thief = (target.User + 1) % world.UserIds.Count;
        var act = ledger.Call(name, OperationKind.StealToken, target.User, target);
        var forged = $"{world.References[thief].Value}.{target.Token.Value[(Redis.UserReference.Length + 1)..]}";
        var validation = await GuardAsync(act, () => world.Store.ValidateAsync(forged, None));
        var revoked = await GuardAsync(act, () => world.Store.RevokeAsync(world.UserIds[thief], target.Token.Id, None));
        ledger.Answer(act, $"valid {validation.IsValid}, revoked {revoked}");
        if (validation.IsValid || revoked)
        {
            throw new ViolationException(ViolationKind.AcrossUsers, $"{target} answered to user {thief}");
        }
    }

    private async Task ExpireAsync(TrackedSession target)
    {
        var act = ledger.Call(name, OperationKind.Expire, target.User, target);
        var gone = await GuardAsync(act, async () =>
        {
            await world.CommandAsync("PEXPIRE", world.RecordKey(target), 1);
            // Holding the turn: in a fixed order nobody can renew it meanwhile, and how often this looks must not matter.
            return await TurnScheduler.WithoutTurnsAsync(async () =>
            {
                long life;
                while ((life = (long)await world.CommandAsync("PTTL", world.RecordKey(target))) is >= 0 and <= 1)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
                }

                return life == -2;
            });
        });
        ledger.Answer(act, gone ? "gone" : "renewed in time", gone);
    }

    private Task CommandAsync(OperationKind kind, TrackedSession target, Func<Task<string>> command) =>
        CommandAsync(ledger.Call(name, kind, target.User, target), command);

    private Task CommandAsync(OperationKind kind, int user, Func<Task<string>> command) =>
        CommandAsync(ledger.Call(name, kind, user), command);

    private async Task CommandAsync(Act act, Func<Task<string>> command) => ledger.Answer(act, await GuardAsync(act, command));

    private static async Task<string> DoneAsync(Task work)
    {
        await work;
        return "done";
    }

    private static async Task<T> GuardAsync<T>(Act act, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception exception) when (exception is not ViolationException)
        {
            throw new ViolationException(ViolationKind.CallFailed, $"{act}: {exception}");
        }
    }

    private void MustHaveEnded(Act act, TrackedSession target)
    {
        if (ledger.PossibleEnd(target, act) is null)
        {
            throw new ViolationException(ViolationKind.LiveSessionDenied, $"{act} -> {act.Answer}, although nothing had ended {target}");
        }
    }

    private void MustNotHaveEnded(Act act, TrackedSession target)
    {
        if (ledger.CertainEnd(target, act) is { } end)
        {
            throw new ViolationException(ViolationKind.DeadSessionAnswers, $"{act} -> {act.Answer}, although {target} had been ended by {end} -> {end.Answer}");
        }
    }
}
