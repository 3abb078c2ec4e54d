using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Archive.PostgresTests.Contract;

/// <summary>What every <see cref="ISessionArchive"/> must do. A derived class says on what; each test has users of its own.</summary>
public abstract partial class SessionArchiveContract
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly TimeSpan Keep = TimeSpan.FromDays(7);
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    private readonly string userId = "用户 " + Guid.NewGuid().ToString("D");

    /// <summary>The archive under test.</summary>
    protected abstract ISessionArchive Archive { get; }

    private UserReference User => UserReference.Of(userId);

    private static SessionId NewId() => SessionToken.Create(UserReference.Of("any")).Id;

    private static long Microseconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() * 1000;

    // Whole milliseconds, as Redis's scripts write them.
    private static DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());

    private Session NewSession(long generation)
    {
        var now = Now();
        return new Session
        {
            Id = NewId(),
            UserId = userId,
            CreatedAt = now.AddMinutes(-2),
            LastSeenAt = now,
            AuthenticatedAt = now.AddMinutes(-2),
            ExpiresAt = now.AddHours(24),
            AbsoluteExpiresAt = now.AddDays(7),
            SlidingExpiration = TimeSpan.FromHours(24),
            Generation = generation,
        };
    }

    private async Task<Session> AddedAsync(long generation)
    {
        var session = NewSession(generation);
        (await Archive.AddAsync(session, [], None)).ShouldBeTrue();
        return session;
    }

    private async Task RotateAsync(Session old, Session rotated, TimeSpan grace)
    {
        await Archive.BeginRotationAsync(User, old.Id, grace, None);
        (await Archive.CompleteRotationAsync(old.Id, rotated, grace, None)).ShouldBeTrue();
    }
}
