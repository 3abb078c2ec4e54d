using Maintenance.WebHost.Audit;

namespace Maintenance.WebHost.Tests.Audit;

public sealed class AuditPruneVerbTests
{
    [Theory]
    [InlineData("prune --older-than 365.00:00:00", 365, false)]
    [InlineData("prune --dry-run --older-than=1.00:00:00", 1, true)]
    [InlineData("prune --older-than 30.00:00:00 --Database:Provider=PostgreSql", 30, false)]
    public void Words_AreRead(string words, int days, bool dryRun)
    {
        AuditPruneVerb.TryRead(words.Split(' '), out var prune).ShouldBeTrue();

        (prune!.OlderThan, prune.DryRun).ShouldBe((TimeSpan.FromDays(days), dryRun));
        prune.Settings.ShouldBe(words.Split(' ').Where(word => word.StartsWith("--Database", StringComparison.Ordinal)));
    }

    /// <summary>Nobody deletes a year of evidence by a slip.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("prune")]
    [InlineData("prune --older-than")]
    [InlineData("prune --older-than 365")]
    [InlineData("prune --older-than 12:00:00")]
    [InlineData("prune --older-than -400.00:00:00")]
    [InlineData("prune --older-than a:year")]
    [InlineData("prune --older-than 30.00:00:00 --older-than 3.00:00:00")]
    [InlineData("prune --older-than 30.00:00:00 --dryrun")]
    [InlineData("prune --older-than 30.00:00:00 more")]
    [InlineData("purge --older-than 30.00:00:00")]
    public void Words_ThatAreNotMeant_AreRefused(string words) => AuditPruneVerb.TryRead(words.Split(' '), out _).ShouldBeFalse();
}
