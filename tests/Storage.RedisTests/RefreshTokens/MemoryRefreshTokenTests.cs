using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.RefreshTokens;

public sealed class MemoryRefreshTokenTests : RefreshTokenContract
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new MemoryAuthBed(new ManualTimeProvider(), settings);

    [Fact]
    public async Task Issue_IsRefusedAsUnavailable_WhenTheStoreIsAtItsCap()
    {
        await using var bed = Bed(("Storage:Memory:MaxEntriesPerKind", "2"));
        var first = await bed.Families.IssueAsync(new NewRefreshFamily { UserId = "a" }, None);
        await bed.Families.IssueAsync(new NewRefreshFamily { UserId = "b" }, None);

        var refusal = await Should.ThrowAsync<StorageUnavailableException>(() => bed.Families.IssueAsync(new NewRefreshFamily { UserId = "c" }, None));

        refusal.Reason.ShouldBe(UnavailableReason.OutOfMemory);
        (await bed.Families.RotateAsync(first.Token!.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
    }
}
