using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Worker.SessionCleanup;

namespace Maintenance.Worker.Tests.SessionCleanup;

public class KeyLivesTests
{
    // The worker's own are bounded by those who write them, and data-protection keys are meant to stay.
    private static readonly StateKind[] LeftAlone = [StateKind.Maintenance, StateKind.DataProtection];

    [Fact]
    public void EveryKind_TellsItsLife_OrHasASettingForIt_OrIsLeftAlone()
    {
        var lives = new KeyLives();
        foreach (var kind in StateKinds.All.Except(LeftAlone))
        {
            (SessionRepair.TellsItsLife(kind) || lives.Of(kind) > TimeSpan.Zero).ShouldBeTrue(
                $"{kind}: a key of it without a TTL would stay for ever. Add it to KeyLives, or let its value tell.");
        }
    }

    [Fact]
    public void EveryKind_HasALabelOfItsOwn() =>
        StateKinds.All.Select(kind => kind.Label()).Distinct(StringComparer.Ordinal).Count().ShouldBe(StateKinds.All.Count);
}
