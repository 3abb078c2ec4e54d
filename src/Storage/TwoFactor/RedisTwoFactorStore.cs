using System.Globalization;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Tokens;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.TwoFactor;

/// <summary>Two-factor challenges in Redis: attempts, locks and time steps change in scripts on Redis's clock.</summary>
public sealed class RedisTwoFactorStore : ITwoFactorStore
{
    // What the hash of no code is: compared with any, it counts and is wrong.
    private const string NoCode = "-";

    private static readonly RedisScript Begin = Load("begin");
    private static readonly RedisScript Attempt = Load("attempt");
    private static readonly RedisScript Complete = Load("complete");
    private static readonly RedisScript Forgive = Load("forgive");

    private readonly RedisConnection connection;
    private readonly RedisKeys keys;
    private readonly IOptionsMonitor<TwoFactorOptions> options;
    private readonly IOptionsMonitor<TokenLifetimeOptions> lifetimes;
    private readonly RedisTokens tokens;

    /// <summary>Creates the store.</summary>
    public RedisTwoFactorStore(
        RedisConnection connection, RedisKeys keys, IOptionsMonitor<TwoFactorOptions> options, IOptionsMonitor<TokenLifetimeOptions> lifetimes)
    {
        this.connection = connection;
        this.keys = keys;
        this.options = options;
        this.lifetimes = lifetimes;
        tokens = new RedisTokens(connection, keys, ChallengeFormat.Shortest);
    }

    /// <inheritdoc/>
    public async Task<TwoFactorStart> BeginAsync(NewTwoFactorChallenge challenge, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(challenge);
        var (user, current) = (UserReference.Of(challenge.UserId), options.CurrentValue);
        var token = SecretToken.Create(user);
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            Begin,
            KeysOf(token),
            [
                token.Id.Value, keys.ChallengesOf(user), TokenLife.Milliseconds(lifetimes.CurrentValue.TwoFactorChallenge, nameof(challenge)),
                current.MaxActivePerUser, current.MaxAttemptsPerUser, ChallengeFormat.EncodeBody(challenge, current.MaxAttempts, token),
            ],
            cancellationToken).ConfigureAwait(false));
        return (string?)reply[0] switch
        {
            "begun" => new TwoFactorStart(token, ChallengeFormat.Decode(user, token.Id, (byte[])reply[1]!)),
            "user_locked" => new TwoFactorStart(null, null, TimeSpan.FromMilliseconds((long)reply[1])),
            _ => new TwoFactorStart(null, null),
        };
    }

    /// <inheritdoc/>
    public async Task<TwoFactorChallenge?> PeekAsync(string? token, CancellationToken cancellationToken)
    {
        if (!SecretToken.TryParse(token, out var parsed))
        {
            return null;
        }

        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            RedisTokens.Peek,
            KeysOf(parsed)[..3],
            [parsed.Id.Value, keys.ChallengesOf(parsed.User), ChallengeFormat.Shortest],
            cancellationToken).ConfigureAwait(false));
        return reply.Length < 2 ? null : ChallengeFormat.Decode(parsed.User, parsed.Id, (byte[])reply[1]!);
    }

    /// <inheritdoc/>
    public Task<TwoFactorAttempt> AttemptAsync(string? token, CancellationToken cancellationToken) => AttemptAsync(token, _ => "", cancellationToken);

    /// <inheritdoc/>
    public async Task<TwoFactorAttempt> CompleteAsync(string? token, long? timeStep, CancellationToken cancellationToken)
    {
        TimeSteps.Check(timeStep);
        return SecretToken.TryParse(token, out var parsed)
            ? await AskAsync(
                Complete,
                parsed,
                [
                    parsed.Id.Value, keys.ChallengesOf(parsed.User), timeStep?.ToString(CultureInfo.InvariantCulture) ?? "",
                    (long)Math.Ceiling(options.CurrentValue.TimeStepMemory.TotalMilliseconds),
                ],
                cancellationToken).ConfigureAwait(false)
            : TwoFactorAttempt.Denied(TokenDenial.Malformed);
    }

    /// <inheritdoc/>
    public Task<TwoFactorAttempt> RedeemCodeAsync(string? token, string? code, CancellationToken cancellationToken) =>
        AttemptAsync(token, parsed => ChallengeFormat.HashCode(parsed, code)?.Value ?? NoCode, cancellationToken);

    /// <inheritdoc/>
    public async Task<TwoFactorChallenge?> FindActiveAsync(string userId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        var found = await tokens.ListAsync(user, keys.ChallengeIndex(user), keys.ChallengesOf(user), cancellationToken).ConfigureAwait(false);
        return found.Select(item => ChallengeFormat.Decode(user, item.Id, item.Record)).FirstOrDefault(challenge => challenge is { IsLocked: false });
    }

    /// <inheritdoc/>
    public Task<bool> CancelAsync(string userId, TokenId id, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        return tokens.RevokeAsync(id, keys.ChallengeIndex(user), keys.ChallengesOf(user), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<int> CancelAllAsync(string userId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        return tokens.RevokeAllAsync(keys.ChallengeIndex(user), keys.ChallengesOf(user), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<bool> ForgiveAsync(string userId, CancellationToken cancellationToken) =>
        (int)await connection.EvaluateAsync(Forgive, [keys.TwoFactorUser(UserReference.Of(userId))], [], cancellationToken).ConfigureAwait(false) == 1;

    private async Task<TwoFactorAttempt> AttemptAsync(string? token, Func<SecretToken, string> code, CancellationToken cancellationToken)
    {
        var current = options.CurrentValue;
        return SecretToken.TryParse(token, out var parsed)
            ? await AskAsync(
                Attempt,
                parsed,
                [
                    parsed.Id.Value, keys.ChallengesOf(parsed.User), current.MaxAttemptsPerUser, (long)Math.Ceiling(current.AttemptWindow.TotalMilliseconds),
                    code(parsed),
                ],
                cancellationToken).ConfigureAwait(false)
            : TwoFactorAttempt.Denied(TokenDenial.Malformed);
    }

    private async Task<TwoFactorAttempt> AskAsync(RedisScript script, SecretToken token, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        var reply = ClientCompat.Items(await connection.EvaluateAsync(script, KeysOf(token), arguments, cancellationToken).ConfigureAwait(false));
        if (reply.Length < 2)
        {
            return TwoFactorAttempt.Denied(TokenDenials.Parse((string?)reply[0]));
        }

        var outcome = (string?)reply[0] switch
        {
            "allowed" => TwoFactorOutcome.Allowed,
            "completed" => TwoFactorOutcome.Completed,
            "wrong" => TwoFactorOutcome.WrongCode,
            "locked" => TwoFactorOutcome.Locked,
            "user_locked" => TwoFactorOutcome.UserLocked,
            "step_used" => TwoFactorOutcome.StepUsed,
            "unattempted" => TwoFactorOutcome.NotAttempted,
            _ => TwoFactorOutcome.Denied,
        };
        var challenge = ChallengeFormat.Decode(token.User, token.Id, (byte[])reply[1]!);
        return challenge is null
            ? TwoFactorAttempt.Denied(TokenDenial.Unreadable)
            : new TwoFactorAttempt(outcome, challenge, RetryAfter: reply.Length > 2 ? TimeSpan.FromMilliseconds((long)reply[2]) : default);
    }

    private RedisKey[] KeysOf(SecretToken token) =>
        [keys.ChallengesOf(token.User) + token.Id.Value, keys.ChallengeIndex(token.User), keys.Generation(token.User), keys.TwoFactorUser(token.User)];

    private static RedisScript Load(string name) => RedisScript.Load(typeof(RedisTwoFactorStore).Assembly, $"TwoFactor/{name}.lua");
}

/// <summary>Bounds of a TOTP step.</summary>
internal static class TimeSteps
{
    // The scripts' numbers are exact up to here; seven bytes hold it.
    private const long Highest = (1L << 53) - 1;

    /// <exception cref="ArgumentOutOfRangeException">Not a step.</exception>
    public static void Check(long? timeStep)
    {
        if (timeStep is { } step)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(step, nameof(timeStep));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(step, Highest, nameof(timeStep));
        }
    }
}
