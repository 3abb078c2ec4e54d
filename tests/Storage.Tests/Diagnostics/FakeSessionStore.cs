using Maintenance.Storage.Outage;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Tests.Diagnostics;

/// <summary>Answers what a test tells it to.</summary>
internal sealed class FakeSessionStore : ISessionStore
{
    public Func<SessionValidation> Validation { get; set; } = () => SessionValidation.Denied(SessionDenial.NotFound);

    public Func<IssuedSession> Issued { get; set; } = () => throw new InvalidOperationException();

    public RevokedSessions Revoked { get; set; } = new(0, false);

    public bool Ended { get; set; }

    public Task<IssuedSession> CreateAsync(NewSession session, CancellationToken cancellationToken) => Task.FromResult(Issued());

    public Task<long?> GetGenerationAsync(string userId, CancellationToken cancellationToken) => Task.FromResult<long?>(null);

    public Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken) => Task.FromResult(Validation());

    public Task<Session?> GetAsync(string userId, SessionId id, CancellationToken cancellationToken) => Task.FromResult<Session?>(null);

    public Task<IReadOnlyList<Session>> ListAsync(string userId, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<Session>>([]);

    public Task<int> CountAsync(string userId, CancellationToken cancellationToken) => Task.FromResult(0);

    public Task<Revocation> RevokeAsync(string userId, SessionId id, CancellationToken cancellationToken) =>
        Task.FromResult(Ended ? Revocation.One : Revocation.Nothing);

    public Task<RevokedSessions> RevokeAllAsync(string userId, SessionId? except, CancellationToken cancellationToken) => Task.FromResult(Revoked);

    public Task<SessionRotation> RotateAsync(string? token, SessionChanges changes, CancellationToken cancellationToken) =>
        Task.FromResult(new SessionRotation(RotationOutcome.AlreadyRotated));
}
