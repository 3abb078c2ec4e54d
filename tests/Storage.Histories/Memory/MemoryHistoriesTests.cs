using System.Globalization;
using System.Security.Cryptography;
using Maintenance.Storage.Histories.Generation;
using Maintenance.Storage.Histories.PlantedBugs;
using Maintenance.Storage.Histories.Running;
using Maintenance.Storage.Histories.Truth;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Histories.Memory;

/// <summary>The in-memory twin under the histories that the Redis store passes, and proof that they can fail on it.</summary>
public sealed class MemoryHistoriesTests
{
    private const int Count = 3000;
    private const ulong Seed = 20_260_101;

    [Fact]
    public async Task Histories_KeepEveryPromise_InMemory()
    {
        var seed = ulong.TryParse(Environment.GetEnvironmentVariable("HISTORIES_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given
            : BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        for (var number = 0UL; number < Count; number++)
        {
            var history = MemoryHistory.Draw(seed + number);

            var result = await MemoryHistory.RunAsync(history);

            result.Violation.ShouldBeNull($"HISTORIES_SEED={seed + number}\n{history}\n{result.Trace}");
        }
    }

    [Fact]
    public Task Histories_FindALateSaveThatRevivesAnEndedSession_InMemory() =>
        MustFindAsync((store, sessions) => new LateSaveStore(store, sessions), ViolationKind.DeadSessionAnswers);

    [Fact]
    public Task Histories_FindARotationInTwoSteps_InMemory() =>
        MustFindAsync((store, _) => new TwoStepRotationStore(store), ViolationKind.WrongSuccessor);

    private static async Task MustFindAsync(Func<InMemorySessionStore, MemorySessions, ISessionStore> plant, ViolationKind kind)
    {
        for (var number = 0UL; number < Count; number++)
        {
            // In a fixed order, so that the same histories find it every time.
            var history = MemoryHistory.Draw(Seed + number) with { Ordered = true };
            if ((await MemoryHistory.RunAsync(history, plant)).Violation?.Kind == kind)
            {
                // It is the bug that was found: without it the same history is fine.
                (await MemoryHistory.RunAsync(history)).Violation.ShouldBeNull();
                return;
            }
        }

        Assert.Fail($"{Count} histories did not find the planted bug.");
    }

    /// <summary>Reads a session, validates, and saves what it read: the late save of many session middlewares.</summary>
    private sealed class LateSaveStore(ISessionStore inner, MemorySessions sessions) : PassingStore(inner)
    {
        public override async Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken)
        {
            var validation = await base.ValidateAsync(token, cancellationToken);
            await TurnScheduler.TurnAsync();
            if (validation.Session is { } session && SessionToken.TryParse(token, out var parsed) && session.Id == parsed.Id)
            {
                sessions.Add(parsed.User, session, format: 1, cap: 100);
            }

            return validation;
        }
    }

    /// <summary>Looks whether the session is valid, and changes its id in another step.</summary>
    private sealed class TwoStepRotationStore(ISessionStore inner) : PassingStore(inner)
    {
        public override async Task<SessionRotation> RotateAsync(string? token, SessionChanges changes, CancellationToken cancellationToken)
        {
            if ((await base.ValidateAsync(token, cancellationToken)).Session is not { } session)
            {
                return new SessionRotation(RotationOutcome.Denied, Denial: SessionDenial.NotFound);
            }

            await TurnScheduler.TurnAsync();
            var issued = await base.CreateAsync(new NewSession { UserId = session.UserId }, cancellationToken);
            await base.RevokeAsync(session.UserId, session.Id, cancellationToken);
            return new SessionRotation(RotationOutcome.Rotated, issued);
        }
    }
}
