using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Worker.IndexReconciliation;

namespace Maintenance.Worker.Tests.IndexReconciliation;

/// <summary>What measures the memory of the whole process runs alone: other tests take and give back theirs.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(Alone))]
public sealed class LiveSessionsMemoryTests
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Table_TakesAtMostAHundredBytesASession(int sessionsPerUser)
    {
        const int Sessions = 200_000;
        var random = new Random(20261121);
        var texts = Enumerable.Range(0, Sessions).Select(_ => SessionId.Parse(new string(random.GetItems<char>(Alphabet, SessionId.Length)))).ToArray();
        var users = Enumerable.Range(0, Sessions / sessionsPerUser).Select(number => UserReference.Of($"{number}")).ToArray();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var live = new LiveSessions();
        for (var i = 0; i < Sessions; i++)
        {
            live.AddSession(users[i / sessionsPerUser], texts[i], i);
            live.MarkGeneration(users[i / sessionsPerUser]);
        }

        var measured = GC.GetTotalMemory(forceFullCollection: true) - before;

        (measured / (double)Sessions).ShouldBeInRange(32, 100);
        (live.Bytes / (double)Sessions).ShouldBeInRange(32, 100);
        GC.KeepAlive(texts);
        GC.KeepAlive(users);
    }
}
