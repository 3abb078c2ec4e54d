using Maintenance.Storage.Histories.Generation;
using Maintenance.Storage.Histories.PlantedBugs;
using Maintenance.Storage.Histories.Running;
using Maintenance.Storage.Histories.Truth;
using Xunit.Abstractions;

namespace Maintenance.Storage.Histories;

/// <summary>Proves that the histories can fail: each known bug, planted alone, is found, named rightly, and shrunk to its core.</summary>
public sealed class PlantedBugsTests(HistoriesFixture redis, ITestOutputHelper output) : IClassFixture<HistoriesFixture>
{
    private const ulong Seed = 20_260_101;
    private const int MostHistories = 2500;
    private const int MostSteps = 8;

    [Fact]
    public Task Histories_FindARenewalThatRevivesAnEndedSession() =>
        MustFindAsync(Plant.RenewalWithoutExistingOnly, [OperationKind.Validate], ViolationKind.DeadSessionAnswers);

    [Fact]
    public Task Histories_FindAMissingGenerationCheck() =>
        MustFindAsync(Plant.NoGenerationCheck, [], ViolationKind.DeadSessionAnswers);

    [Fact]
    public Task Histories_FindARepairThatAddsWithoutASecondLook() =>
        MustFindAsync(Plant.AddsWithoutSecondLook, [OperationKind.Reconcile], ViolationKind.GhostInIndex);

    [Fact]
    public Task Histories_FindARepairThatRemovesWithoutASecondLook() =>
        MustFindAsync(Plant.RemovesWithoutSecondLook, [OperationKind.Reconcile], ViolationKind.LiveSessionNotInIndex);

    [Fact]
    public Task Histories_FindAnIndexWrittenBeforeTheRecord() =>
        MustFindAsync(Plant.IndexBeforeRecord, [OperationKind.Create, OperationKind.Reconcile], ViolationKind.LiveSessionNotInIndex);

    [Fact]
    public Task Histories_FindAGenerationThatRestartsAtOne() =>
        MustFindAsync(Plant.GenerationRestartsAtOne, [OperationKind.EvictGeneration], ViolationKind.DeadSessionAnswers);

    [Fact]
    public Task Histories_FindARevokeAllThatTrustsTheIndex() =>
        MustFindAsync(Plant.RevokeAllByIndexOnly, [], ViolationKind.DeadSessionAnswers);

    [Fact]
    public Task Histories_FindARotationThatKeepsTheOldRecord() =>
        MustFindAsync(Plant.RotationKeepsOldRecord, [OperationKind.Rotate], ViolationKind.WrongSuccessor);

    private async Task MustFindAsync(Product product, OperationKind[] core, ViolationKind kind)
    {
        var campaign = new Campaign(redis.Server, product) { OnlyOrdered = true, Wanted = [kind] };
        var finding = await campaign.RunAsync(Seed, MostHistories);

        finding.ShouldNotBeNull($"{MostHistories} histories did not find the planted bug");
        output.WriteLine($"Found by history {finding.Number}.\n{finding}");
        finding.Kind.ShouldBe(kind);
        finding.Shrunk.Steps.ShouldBeLessThanOrEqualTo(MostSteps, finding.ToString());
        var steps = finding.Shrunk.Rounds.SelectMany(round => round.Clients).SelectMany(client => client).Select(step => step.Kind).ToHashSet();
        core.ShouldBeSubsetOf(steps, finding.ToString());
        // It is the bug that was found: without it the same history is fine.
        (await new Campaign(redis.Server, Product.Real).RunAsync(finding.Shrunk)).Violation.ShouldBeNull();
    }
}
