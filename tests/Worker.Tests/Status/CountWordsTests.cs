using Maintenance.Worker.Scheduling;
using Maintenance.Worker.Status.Page;

namespace Maintenance.Worker.Tests.Status;

public sealed class CountWordsTests
{
    [Theory]
    [InlineData("dangling", "Member without a session")]
    [InlineData("wrong_expiry", "Wrong expiry")]
    [InlineData("refresh_tokens_wrong_expiry", "Wrong expiry, refresh tokens")]
    [InlineData("my_app_missing", "Session missing in its index, my app")]
    [InlineData("something_new", "something new")]
    public void Drift_HasWords_InEveryKeyspace(string kind, string words) => CountWords.Drift(kind).ShouldBe(words);

    [Fact]
    public void WhatWasMended_IsToldFromWhatWasOnlySeen()
    {
        var result = Result(
            ("drift_dangling", 1), ("drift_refresh_tokens_dangling", 2), ("expired_members_removed_refresh_tokens", 4),
            ("drift_express_missing", 9), ("expired_members_removed_express", 1), ("foreign_express_mended", 3), ("foreign_express_seen", 50));

        CountWords.Changed(result).ShouldBe(
        [
            (4, "expired members removed (refresh tokens)"), (3, "entries mended in express"), (2, "members without a session removed (refresh tokens)"),
            (1, "member without a session removed"),
        ]);
        CountWords.Seen(result).Select(seen => seen.What).ShouldBe(["foreign express seen", "session missing in its index (express)", "expired member (express)"]);
        // The expired member is no drift.
        DriftCounts.NotMended(result).ShouldBe(6);
    }

    [Fact]
    public void WithoutOtherProgramsStores_NothingIsLeft() => DriftCounts.NotMended(Result(("drift_dangling", 5), ("drift_refresh_tokens_revoked", 2))).ShouldBe(0);

    private static JobResult Result(params (string Name, long Count)[] counts) => new()
    {
        Job = JobNames.IndexReconciliation,
        RunId = "run",
        Replica = "replica",
        Started = DateTimeOffset.UnixEpoch,
        DurationSeconds = 1,
        Outcome = JobOutcome.Success,
        Counts = counts.ToDictionary(count => count.Name, count => count.Count, StringComparer.Ordinal),
    };
}
