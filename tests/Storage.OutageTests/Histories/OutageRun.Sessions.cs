using System.Diagnostics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.OutageTests.Histories;

/// <content>What users do, and which answers break a promise.</content>
internal sealed partial class OutageRun
{
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
            // A server that is dead gets nothing any more.
            Ledger.Doubt(step.User, mayComeLate: sent && !dead);
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
}
