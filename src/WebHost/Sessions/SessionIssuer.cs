using System.Text.Json.Serialization;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Database;
using Maintenance.WebHost.Users;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Sessions;

/// <summary>What a client gets when it has signed in.</summary>
/// <param name="SessionToken">For <c>Authorization: Bearer</c>.</param>
/// <param name="RefreshToken">Exchanged for the next ones; null while Redis is away and the session lives in this host's memory.</param>
/// <param name="ExpiresAt">When the session ends without a request.</param>
/// <param name="User">Who it is.</param>
/// <param name="AntiforgeryToken">For calls that are authenticated by the cookie.</param>
/// <param name="DeviceToken">Left out but after a password: to be sent with the next log-in by clients without cookies.</param>
internal sealed record SignedIn(
    string SessionToken,
    string? RefreshToken,
    DateTimeOffset ExpiresAt,
    SignedInUser User,
    string AntiforgeryToken,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? DeviceToken = null);

/// <summary>Who has signed in.</summary>
internal sealed record SignedInUser(string Id, string Email, string Name, bool EmailVerified, IReadOnlyList<string> Roles)
{
    public static SignedInUser Of(User user) => new(user.Key, user.Email, user.Name, user.EmailVerified, [.. user.Roles.Select(role => role.Role)]);
}

/// <summary>What a look at an account found while its password was compared.</summary>
/// <param name="Generation">The user's, read before the look.</param>
/// <param name="Timestamp">When that began.</param>
internal sealed record AccountMark(long Generation, long Timestamp);

/// <summary>Makes a session and its refresh token for somebody who has proved who it is, whatever the proof was.</summary>
internal sealed class SessionIssuer(
    ISessionStore sessions,
    IRefreshTokenStore families,
    AuthDbContext database,
    UserQueries queries,
    SessionCookies cookies,
    IOptionsMonitor<Storage.Sessions.SessionOptions> lifetimes,
    OutageOptions outage,
    TimeProvider clock)
{
    // What another host writes down while it has no Redis ends, when it is carried out, what began up to the clocks' tolerance later, and no more. So a mark
    // counts for a part of that only.
    private const int ShareOfTolerance = 5;
    private static readonly TimeSpan LongestMark = TimeSpan.FromSeconds(1);

    /// <summary>Claim of a session that holds a role.</summary>
    public const string RoleClaim = "role";

    /// <summary>Claim of a session that a refresh token made: its owner was not there when it began, so its beginning proves nothing.</summary>
    public const string RefreshedClaim = "refreshed";

    /// <summary>
    /// The user's generation, if the account is what it was when it was read: what <see cref="IssueAsync"/> need not look for again. To be asked while the
    /// password is compared, which takes longer. Nobody's costs the same.
    /// </summary>
    /// <returns>Null: changed, or nobody can say now; it is looked at when the session is there.</returns>
    public async Task<AccountMark?> MarkAsync(User? user, CancellationToken cancellationToken)
    {
        user ??= new User { Id = Guid.NewGuid() };
        var started = clock.GetTimestamp();
        try
        {
            var generation = await sessions.GetGenerationAsync(user.Key, cancellationToken);
            // After the generation: whoever changes the account writes that first and ends the sessions, and with them the generation, then.
            return await IsUnchangedAsync(user, cancellationToken) && generation is { } number ? new AccountMark(number, started) : null;
        }
        catch (Exception exception) when (exception is StorageUnavailableException || DatabaseErrors.IsUnavailable(exception))
        {
            return null;
        }
    }

    /// <summary>Issues both and sets the cookies.</summary>
    /// <param name="context">The request.</param>
    /// <param name="user">Whose session it will be, as it was read before the proof.</param>
    /// <param name="device">Name of the device.</param>
    /// <param name="mark">What <see cref="MarkAsync"/> said; null: it was not asked.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null: the account was shut, deleted or got another password while this was under way. Deny.</returns>
    /// <exception cref="StorageUnavailableException">The store does not answer.</exception>
    public async Task<SignedIn?> IssueAsync(HttpContext context, User user, string? device, AccountMark? mark, CancellationToken cancellationToken)
    {
        var token = SessionToken.Create(UserReference.Of(user.Key));
        var creating = sessions.CreateAsync(Of(context, user, device, ClaimsOf(user)) with { Token = token }, cancellationToken);
        // Right behind the session, on the same connection. Nobody has either token before both are done.
        var issuing = FamilyAsync(user, token.Id, cancellationToken);
        Task<bool> looking;
        IssuedSession issued;
        try
        {
            issued = await creating;
            // Whoever shuts an account or changes its password writes that first and ends the sessions then. So either that end has met this session, or
            // it changed the generation, or this look sees what was written.
            looking = Holds(mark, issued.Session) ? Task.FromResult(true) : IsUnchangedAsync(user, cancellationToken);
            await ((Task)looking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            await ((Task)issuing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (!await looking)
        {
            // With its family.
            await sessions.RevokeAsync(user.Key, issued.Session.Id, cancellationToken);
            return null;
        }

        var (granted, refresh) = await issuing;
        if (issued.Session.Id != token.Id)
        {
            // Born in memory, after Redis failed. Should Redis have taken the other one, then nobody gets its refresh token.
            return Answer(context, user, issued, refresh: null);
        }

        if (!granted)
        {
            // It may have overtaken the session, whose script Redis did not know yet. If it is refused again, the session has been ended.
            (granted, refresh) = await FamilyAsync(user, issued.Session.Id, cancellationToken);
        }

        return granted ? Answer(context, user, issued, refresh) : null;
    }

    private bool Holds(AccountMark? mark, Session session)
    {
        var life = outage.ClockTolerance / ShareOfTolerance;
        return mark is not null && mark.Generation == session.Generation && clock.GetElapsedTime(mark.Timestamp) < (life < LongestMark ? life : LongestMark);
    }

    private async Task<(bool Granted, RefreshToken? Token)> FamilyAsync(User user, SessionId session, CancellationToken cancellationToken)
    {
        try
        {
            var family = await families.IssueAsync(new NewRefreshFamily { UserId = user.Key, SessionId = session }, cancellationToken);
            return (family.Token is not null, family.Token);
        }
        catch (StorageUnavailableException)
        {
            // By policy a session may be born in memory while Redis is away; a refresh token never is. The session works until it expires.
            return (true, null);
        }
    }

    /// <summary>Creates a session that goes on from another by a refresh token: no log-in, and never longer than its chain of tokens lives.</summary>
    /// <param name="context">The request.</param>
    /// <param name="user">Whose it will be.</param>
    /// <param name="from">The session of before, if it is known.</param>
    /// <param name="device">Name of the device.</param>
    /// <param name="life">Longest life, if it is less than the configured one. Whole seconds.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<IssuedSession> ContinueAsync(HttpContext context, User user, SessionId? from, string? device, TimeSpan life, CancellationToken cancellationToken) =>
        sessions.CreateAsync(
            Of(context, user, device, RefreshedClaimsOf(user)) with
            {
                Continues = from,
                SlidingExpiration = life < lifetimes.CurrentValue.SlidingExpiration ? life : null,
                AbsoluteExpiration = life < lifetimes.CurrentValue.AbsoluteExpiration ? life : null,
            },
            cancellationToken);

    /// <summary>The answer, with the cookies set.</summary>
    public SignedIn Answer(HttpContext context, User user, IssuedSession issued, RefreshToken? refresh)
    {
        cookies.Set(context.Response, issued);
        return new SignedIn(
            issued.Token.Value, refresh?.Value, issued.Session.ExpiresAt, SignedInUser.Of(user), SessionCookies.AntiforgeryTokenOf(issued.Token.Value));
    }

    /// <summary>A session's claims have one value a name; a second value of a type stands under <c>type LF 2</c>, which the bearer handler reads.</summary>
    internal static Dictionary<string, string> ClaimsOf(User user) => user.Roles
        .Select((role, i) => (Name: i == 0 ? RoleClaim : $"{RoleClaim}\n{i + 1}", role.Role))
        .ToDictionary(claim => claim.Name, claim => claim.Role, StringComparer.Ordinal);

    /// <summary>Reads the roles back.</summary>
    internal static string[] RolesOf(IReadOnlyDictionary<string, string> claims) => claims.Count == 0
        ? []
        : [.. claims.Where(claim => claim.Key == RoleClaim || claim.Key.StartsWith($"{RoleClaim}\n", StringComparison.Ordinal)).Select(claim => claim.Value)];

    /// <summary>The same for a session that a refresh token makes or renews.</summary>
    internal static Dictionary<string, string> RefreshedClaimsOf(User user)
    {
        var claims = ClaimsOf(user);
        claims[RefreshedClaim] = "1";
        return claims;
    }

    private static NewSession Of(HttpContext context, User user, string? device, Dictionary<string, string> claims)
    {
        var agent = context.Request.Headers.UserAgent.ToString();
        return new NewSession
        {
            UserId = user.Key,
            IpAddress = context.Connection.RemoteIpAddress,
            UserAgent = agent.Length == 0 ? null : agent,
            DeviceName = string.IsNullOrWhiteSpace(device) ? null : device.Trim(),
            Claims = claims,
        };
    }

    /// <summary>Whether the account is open and still what it was when it was read.</summary>
    public async Task<bool> IsUnchangedAsync(User user, CancellationToken cancellationToken)
    {
        var now = await queries.Standing(database, user.Id, cancellationToken);
        return now is { DisabledAt: null } && now.SecurityStamp == user.SecurityStamp;
    }
}
