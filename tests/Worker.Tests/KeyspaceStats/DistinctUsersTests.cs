using Maintenance.Storage.Redis;
using Maintenance.Worker.KeyspaceStats;

namespace Maintenance.Worker.Tests.KeyspaceStats;

public sealed class DistinctUsersTests
{
    [Fact]
    public void Count_IsExact_WhileThereAreNoMoreThanAreKept()
    {
        var users = new DistinctUsers(most: 1000);
        Add(users, 1000);
        Add(users, 1000);
        users.Count.ShouldBe(1000);
    }

    [Fact]
    public void Count_IsANearEstimate_WithinTheMemoryThatIsAllowed_Above()
    {
        var users = new DistinctUsers(most: 10_000);
        Add(users, 200_000);
        Add(users, 50_000);
        users.Kept.ShouldBeLessThanOrEqualTo(10_000);
        // A sample of at least 5,000: its standard error is 1.4 %.
        ((double)users.Count).ShouldBeInRange(200_000 * 0.92, 200_000 * 1.08);
    }

    private static void Add(DistinctUsers users, int count)
    {
        for (var i = 0; i < count; i++)
        {
            users.Add(UserReference.Of($"user-{i}"));
        }
    }
}
