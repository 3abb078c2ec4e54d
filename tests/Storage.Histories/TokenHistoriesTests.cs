using System.Globalization;
using System.Security.Cryptography;
using Maintenance.Storage.Histories.Tokens;
using Maintenance.Storage.Histories.Truth;
using Xunit.Abstractions;

namespace Maintenance.Storage.Histories;

/// <summary>
/// Random histories of refresh tokens, one-time tokens, two-factor challenges, OAuth states and denials, on a real Redis with its damage and the worker's
/// jobs, and in memory: every answer must be explained by an order of the calls. <c>HISTORIES_COUNT</c> and <c>HISTORIES_SEED</c> as for sessions.
/// </summary>
public sealed class TokenHistoriesTests(HistoriesFixture redis, ITestOutputHelper output) : IClassFixture<HistoriesFixture>
{
    private const int DefaultCount = 1000;
    private const int MemoryCount = 2000;

    [Fact]
    public Task TokenHistories_AreExplained() => MustBeExplainedAsync(new TokenCampaign(redis.Server), DefaultCount);

    [Fact]
    public Task TokenHistories_AreExplained_InMemory() => MustBeExplainedAsync(new TokenCampaign(server: null), MemoryCount);

    [Fact]
    public void Draw_UsesEveryTokenStep()
    {
        var histories = Enumerable.Range(1, 300).Select(seed => TokenGenerator.Draw((ulong)seed)).ToList();

        histories.SelectMany(history => history.Rounds).SelectMany(round => round.Clients).SelectMany(client => client).Select(step => step.Kind)
            .Distinct().Order().ShouldBe(Enum.GetValues<TokenStepKind>());
        histories.ShouldContain(history => history.Ordered && history.Grace);
        histories.ShouldContain(history => !history.Ordered && !history.Grace);
    }

    private async Task MustBeExplainedAsync(TokenCampaign campaign, int defaultCount)
    {
        var count = int.TryParse(Environment.GetEnvironmentVariable("HISTORIES_COUNT"), CultureInfo.InvariantCulture, out var asked) ? asked : defaultCount;
        var seed = ulong.TryParse(Environment.GetEnvironmentVariable("HISTORIES_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given
            : BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));

        var finding = await campaign.RunAsync(seed, count);

        output.WriteLine($"{campaign.Run} token histories from seed {seed}");
        finding.ShouldBeNull(finding?.ToString());
        campaign.Run.ShouldBe(count);
    }
}

/// <summary>Proves that the token histories can fail: each known bug, planted alone, is found and shrunk to its core.</summary>
public sealed class PlantedTokenBugsTests(HistoriesFixture redis, ITestOutputHelper output) : IClassFixture<HistoriesFixture>
{
    private const ulong Seed = 20_260_101;
    private const int MostHistories = 3000;
    private const int MostSteps = 8;

    [Fact]
    public Task TokenHistories_FindARedemptionInTwoSteps() =>
        MustFindAsync(TokenPlants.RedemptionInTwoSteps, [TokenStepKind.IssueOneTime, TokenStepKind.RedeemOneTime]);

    [Fact]
    public Task TokenHistories_FindARedemptionInTwoSteps_InMemory() =>
        MustFindAsync(TokenPlants.RedemptionInTwoSteps, [TokenStepKind.IssueOneTime, TokenStepKind.RedeemOneTime], inMemory: true);

    [Fact]
    public Task TokenHistories_FindAGenerationThatIsNotCompared() =>
        MustFindAsync(TokenPlants.GenerationIsNotCompared, [TokenStepKind.IssueOneTime, TokenStepKind.RedeemOneTime]);

    [Fact]
    public Task TokenHistories_FindAFamilyThatIsSavedLate() =>
        MustFindAsync(TokenPlants.FamilyIsSavedLate, [TokenStepKind.IssueFamily, TokenStepKind.RotateFamily]);

    [Fact]
    public Task TokenHistories_FindAReuseThatEndsNothing() =>
        MustFindAsync(TokenPlants.ReuseEndsNothing, [TokenStepKind.IssueFamily, TokenStepKind.RotateFamily]);

    [Fact]
    public Task TokenHistories_FindAttemptsThatAreWrittenBack() =>
        MustFindAsync(TokenPlants.AttemptsAreWrittenBack, [TokenStepKind.BeginChallenge, TokenStepKind.AttemptChallenge]);

    [Fact]
    public Task TokenHistories_FindAStateThatIsReadAndThenDeleted() =>
        MustFindAsync(TokenPlants.StateIsReadAndThenDeleted, [TokenStepKind.CreateState, TokenStepKind.RedeemState]);

    [Fact]
    public Task TokenHistories_FindADenialThatIsOverwritten() =>
        MustFindAsync(TokenPlants.DenialIsOverwritten, [TokenStepKind.Deny]);

    private async Task MustFindAsync(Func<TokenWorld, TokenWorld> plant, TokenStepKind[] core, bool inMemory = false)
    {
        var server = inMemory ? null : redis.Server;

        var finding = await new TokenCampaign(server, plant) { OnlyOrdered = true }.RunAsync(Seed, MostHistories);

        finding.ShouldNotBeNull($"{MostHistories} token histories did not find the planted bug");
        output.WriteLine(finding.ToString());
        finding.Result.Violation!.Kind.ShouldBe(ViolationKind.Unexplained, finding.ToString());
        finding.Shrunk.Steps.ShouldBeLessThanOrEqualTo(MostSteps, finding.ToString());
        core.ShouldBeSubsetOf(
            finding.Shrunk.Rounds.SelectMany(round => round.Clients).SelectMany(client => client).Select(step => step.Kind).ToHashSet(), finding.ToString());
        // It is the bug that was found: without it the same history is fine.
        (await new TokenCampaign(server).RunAsync(finding.Shrunk)).Violation.ShouldBeNull();
    }
}
