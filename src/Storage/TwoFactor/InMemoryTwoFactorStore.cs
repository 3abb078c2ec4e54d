using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Tokens;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.TwoFactor;

/// <summary>Two-factor challenges of one process, with the semantics of <see cref="RedisTwoFactorStore"/>.</summary>
public sealed class InMemoryTwoFactorStore : ITwoFactorStore, IDisposable
{
    private readonly MemoryUsers users;
    private readonly IOptionsMonitor<TwoFactorOptions> options;
    private readonly IOptionsMonitor<TokenLifetimeOptions> lifetimes;
    private readonly MemoryOptions memory;
    private readonly MemoryTokens<Stored> challenges;
    private readonly ExpiringMap<UserReference, UserState> states;

    internal InMemoryTwoFactorStore(
        MemoryUsers users,
        IOptionsMonitor<TwoFactorOptions> options,
        IOptionsMonitor<TokenLifetimeOptions> lifetimes,
        MemoryOptions memory,
        TimeProvider timeProvider)
    {
        this.users = users;
        this.options = options;
        this.lifetimes = lifetimes;
        this.memory = memory;
        challenges = new MemoryTokens<Stored>(InstrumentedTwoFactorStore.StoreLabel, users, memory, timeProvider);
        states = new ExpiringMap<UserReference, UserState>(memory.MaxEntriesPerKind, timeProvider, memory.SweepInterval);
    }

    /// <inheritdoc/>
    public Task<TwoFactorStart> BeginAsync(NewTwoFactorChallenge challenge, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(challenge);
        cancellationToken.ThrowIfCancellationRequested();
        var (user, current) = (UserReference.Of(challenge.UserId), options.CurrentValue);
        var token = SecretToken.Create(user);
        // The Redis store refuses by the same bounds.
        ChallengeFormat.EncodeBody(challenge, current.MaxAttempts, token);
        lock (users.Gate(user))
        {
            var state = StateOf(user);
            if (state.Attempts >= current.MaxAttemptsPerUser)
            {
                return Task.FromResult(new TwoFactorStart(null, null, state.WindowEnd - users.Now));
            }

            var value = new Stored(
                challenge.UserId, challenge.Method, challenge.Data ?? "", 0, current.MaxAttempts, ChallengeFormat.HashCode(token, challenge.Code));
            var (stored, _) = challenges.Add(user, token.Id, value, lifetimes.CurrentValue.TwoFactorChallenge, current.MaxActivePerUser);
            return Task.FromResult(new TwoFactorStart(token, Public(stored)));
        }
    }

    /// <inheritdoc/>
    public Task<TwoFactorChallenge?> PeekAsync(string? token, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!SecretToken.TryParse(token, out var parsed))
        {
            return Task.FromResult<TwoFactorChallenge?>(null);
        }

        lock (users.Gate(parsed.User))
        {
            challenges.Find(parsed.User, parsed.Id, out var found);
            return Task.FromResult(found is null ? null : Public(found));
        }
    }

    /// <inheritdoc/>
    public Task<TwoFactorAttempt> AttemptAsync(string? token, CancellationToken cancellationToken) =>
        Task.FromResult(Ask(token, (parsed, found) => Count(parsed, found, out _), cancellationToken));

    /// <inheritdoc/>
    public Task<TwoFactorAttempt> CompleteAsync(string? token, long? timeStep, CancellationToken cancellationToken)
    {
        TimeSteps.Check(timeStep);
        return Task.FromResult(Ask(token, Finish, cancellationToken));

        TwoFactorAttempt Finish(SecretToken parsed, MemoryToken<Stored> found)
        {
            if (found.Value.Attempts == 0)
            {
                return new TwoFactorAttempt(TwoFactorOutcome.NotAttempted, Public(found));
            }

            var state = StateOf(parsed.User);
            if (timeStep is { } step)
            {
                if (step <= state.Step)
                {
                    return new TwoFactorAttempt(TwoFactorOutcome.StepUsed, Public(found));
                }

                state = state with { Step = step, StepUntil = users.Now + options.CurrentValue.TimeStepMemory };
            }

            return Complete(parsed, found, state);
        }
    }

    /// <inheritdoc/>
    public Task<TwoFactorAttempt> RedeemCodeAsync(string? token, string? code, CancellationToken cancellationToken)
    {
        return Task.FromResult(Ask(token, Compare, cancellationToken));

        TwoFactorAttempt Compare(SecretToken parsed, MemoryToken<Stored> found)
        {
            var attempt = Count(parsed, found, out var counted);
            if (counted is null)
            {
                return attempt;
            }

            return counted.Value.Code is { } sent && sent == ChallengeFormat.HashCode(parsed, code)
                ? Complete(parsed, counted, StateOf(parsed.User))
                : attempt with { Outcome = TwoFactorOutcome.WrongCode };
        }
    }

    /// <inheritdoc/>
    public Task<TwoFactorChallenge?> FindActiveAsync(string userId, CancellationToken cancellationToken) =>
        users.LockedAsync(userId, user => challenges.Live(user).Select(Public).FirstOrDefault(challenge => !challenge.IsLocked), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> CancelAsync(string userId, TokenId id, CancellationToken cancellationToken) =>
        users.LockedAsync(userId, user => challenges.Remove(user, id), cancellationToken);

    /// <inheritdoc/>
    public Task<int> CancelAllAsync(string userId, CancellationToken cancellationToken) => users.LockedAsync(userId, challenges.RemoveAll, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> ForgiveAsync(string userId, CancellationToken cancellationToken) => users.LockedAsync(
        userId,
        user =>
        {
            var state = StateOf(user);
            if (state.Attempts == 0)
            {
                return false;
            }

            Keep(user, state with { Attempts = 0 });
            return true;
        },
        cancellationToken);

    /// <summary>A user's challenges.</summary>
    internal IReadOnlyList<TwoFactorChallenge> All(UserReference user)
    {
        lock (users.Gate(user))
        {
            return [.. challenges.Live(user).Select(Public)];
        }
    }

    /// <summary>Attempts of a user that count over all challenges.</summary>
    internal int AttemptsOf(UserReference user)
    {
        lock (users.Gate(user))
        {
            return StateOf(user).Attempts;
        }
    }

    /// <summary>Forgets a user; how many entries there were. To be called with the user's gate held.</summary>
    internal long EraseUser(UserReference user) => challenges.RemoveAll(user) + (states.Remove(user) ? 1 : 0);

    /// <inheritdoc/>
    public void Dispose()
    {
        challenges.Dispose();
        states.Dispose();
    }

    private TwoFactorAttempt Ask(string? token, Func<SecretToken, MemoryToken<Stored>, TwoFactorAttempt> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!SecretToken.TryParse(token, out var parsed))
        {
            return TwoFactorAttempt.Denied(TokenDenial.Malformed);
        }

        lock (users.Gate(parsed.User))
        {
            var denial = challenges.Find(parsed.User, parsed.Id, out var found);
            return found is null ? TwoFactorAttempt.Denied(denial) : work(parsed, found);
        }
    }

    private TwoFactorAttempt Count(SecretToken token, MemoryToken<Stored> found, out MemoryToken<Stored>? counted)
    {
        counted = null;
        var (state, current) = (StateOf(token.User), options.CurrentValue);
        if (state.Attempts >= current.MaxAttemptsPerUser)
        {
            return new TwoFactorAttempt(TwoFactorOutcome.UserLocked, Public(found), RetryAfter: state.WindowEnd - users.Now);
        }

        if (found.Value.Attempts >= found.Value.MaxAttempts)
        {
            return new TwoFactorAttempt(TwoFactorOutcome.Locked, Public(found));
        }

        // The user first: an attempt that cannot be counted is not let through.
        Keep(token.User, state with
        {
            WindowEnd = state.Attempts == 0 ? users.Now + current.AttemptWindow : state.WindowEnd,
            Attempts = state.Attempts + 1,
        });
        counted = found with { Value = found.Value with { Attempts = found.Value.Attempts + 1 } };
        challenges.Replace(token.User, counted);
        return new TwoFactorAttempt(TwoFactorOutcome.Allowed, Public(counted));
    }

    private TwoFactorAttempt Complete(SecretToken token, MemoryToken<Stored> found, UserState state)
    {
        Keep(token.User, state with { Attempts = 0 });
        challenges.Remove(token.User, found.Id);
        return new TwoFactorAttempt(TwoFactorOutcome.Completed, Public(found));
    }

    private UserState StateOf(UserReference user)
    {
        var state = states.TryGet(user, out var kept) ? kept : new UserState(DateTimeOffset.UnixEpoch, 0, 0, DateTimeOffset.UnixEpoch);
        var now = users.Now;
        return state with { Attempts = now < state.WindowEnd ? state.Attempts : 0, Step = now < state.StepUntil ? state.Step : 0 };
    }

    private void Keep(UserReference user, UserState state)
    {
        var now = users.Now;
        var window = state.Attempts > 0 ? state.WindowEnd - now : TimeSpan.Zero;
        var step = state.Step > 0 ? state.StepUntil - now : TimeSpan.Zero;
        var life = window > step ? window : step;
        if (life <= TimeSpan.Zero)
        {
            states.Remove(user);
        }
        else if (!states.TrySet(user, state, life))
        {
            throw MemoryOptions.Full(InstrumentedTwoFactorStore.StoreLabel, memory.MaxEntriesPerKind);
        }
    }

    private static TwoFactorChallenge Public(MemoryToken<Stored> token) => new()
    {
        Id = token.Id,
        UserId = token.Value.UserId,
        Method = token.Value.Method,
        Data = token.Value.Data,
        CreatedAt = token.CreatedAt,
        ExpiresAt = token.ExpiresAt,
        Attempts = token.Value.Attempts,
        MaxAttempts = token.Value.MaxAttempts,
    };

    private sealed record Stored(string UserId, string Method, string Data, int Attempts, int MaxAttempts, TokenId? Code);

    private sealed record UserState(DateTimeOffset WindowEnd, int Attempts, long Step, DateTimeOffset StepUntil);
}
