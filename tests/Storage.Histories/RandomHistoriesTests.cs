using System.Globalization;
using System.Security.Cryptography;
using Maintenance.Storage.Histories.Generation;
using Maintenance.Storage.Histories.Running;
using Maintenance.Testing;
using Xunit.Abstractions;

namespace Maintenance.Storage.Histories;

/// <summary>
/// Random histories of the session store and the jobs against a real Redis. <c>HISTORIES_COUNT</c> sets how many (default 1200), <c>HISTORIES_SEED</c>
/// where they start; a failure prints the seed of its history.
/// </summary>
public sealed class RandomHistoriesTests(HistoriesFixture redis, ITestOutputHelper output) : IClassFixture<HistoriesFixture>
{
    private const int DefaultCount = 1200;

    [Fact]
    public async Task Histories_KeepEveryPromise()
    {
        var count = int.TryParse(Environment.GetEnvironmentVariable("HISTORIES_COUNT"), CultureInfo.InvariantCulture, out var asked) ? asked : DefaultCount;
        var seed = ulong.TryParse(Environment.GetEnvironmentVariable("HISTORIES_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given
            : BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        var campaign = new Campaign(redis.Server, Product.Real);
        var started = TimeProvider.System.GetTimestamp();

        var finding = await campaign.RunAsync(seed, count);

        output.WriteLine($"{campaign.Run} histories from seed {seed} in {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0.0} s");
        finding.ShouldBeNull(finding?.ToString());
        campaign.Run.ShouldBe(count);
    }

    [Fact]
    public async Task OrderedHistory_HappensTheSameWayEachTime()
    {
        var campaign = new Campaign(redis.Server, Product.Real);
        for (var seed = 1UL; seed <= 40; seed++)
        {
            var history = WithoutClocks(HistoryGenerator.Draw(seed));

            var first = await campaign.RunAsync(history);
            var second = await campaign.RunAsync(WithoutClocks(HistoryGenerator.Draw(seed)));

            second.Trace.ShouldBe(first.Trace, $"seed {seed}");
        }
    }

    // A grace of a moment, or a life of a second, may or may not be over.
    private static History WithoutClocks(History history) => history with
    {
        Ordered = true,
        ShortGrace = false,
        Rounds = [.. history.Rounds.Select(round => round with
        {
            Clients = [.. round.Clients.Select(client => (IReadOnlyList<Operation>)
                [.. client.Select(step => step.Kind == OperationKind.CreateShort ? step with { Kind = OperationKind.Create } : step)])],
        })],
    };

    [Fact]
    public void Draw_UsesEveryStepAndBothWaysToRun()
    {
        var histories = Enumerable.Range(1, 300).Select(seed => HistoryGenerator.Draw((ulong)seed)).ToList();
        var kinds = histories.SelectMany(history => history.Rounds).SelectMany(round => round.Clients).SelectMany(client => client).Select(step => step.Kind);

        kinds.Distinct().Order().ShouldBe(Enum.GetValues<OperationKind>());
        histories.ShouldContain(history => history.Ordered && history.RenewAlways && history.Rounds.Any(round => round.Clients.Count > 1));
        histories.ShouldContain(history => !history.Ordered && history.ShortGrace);
    }
}

/// <summary>One Redis with a database a lane.</summary>
public sealed class HistoriesFixture : IAsyncLifetime
{
    private RedisServer? server;

    public RedisServer Server => server ?? throw new InvalidOperationException("The fixture is not initialized.");

    public async Task InitializeAsync() => server = await RedisServer.StartAsync(new RedisServerOptions { ConfigurationLines = ["databases 64"] });

    public async Task DisposeAsync()
    {
        if (server is not null)
        {
            await server.DisposeAsync();
        }
    }
}
