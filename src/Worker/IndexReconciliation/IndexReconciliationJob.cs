using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Storage.Tokens.Repair;
using Maintenance.Worker.ForeignLayouts;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>
/// Makes sessions and their indexes agree, both ways, and tokens with theirs: one that its index does not name is not valid, so it is removed where a
/// session is put back. One SCAN notes every live session and token; then the indexes are read and compared here; only what
/// does not match goes to a script that looks again on the primary and mends. Large stores are swept in partitions, and an interrupted pass goes on
/// after the last completed one. On a cluster each primary has a pass of its own: a user's keys lie on one. Stores of other programs come after ours.
/// </summary>
public sealed class IndexReconciliationJob(
    RedisConnection connection,
    RedisKeys keys,
    SessionRepair repair,
    TokenRepair tokens,
    IOptionsMonitor<IndexReconciliationOptions> options,
    SweepMetrics metrics,
    TimeProvider timeProvider,
    ForeignLayoutsPass? foreign = null) : IMaintenanceJob
{
    /// <inheritdoc/>
    public string Name => JobNames.IndexReconciliation;

    /// <inheritdoc/>
    public async Task RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var kinds = SweptKind.All(keys, repair, tokens);
        var passes = new List<ServerPass>();
        BrakeException? braked = null;
        try
        {
            await EachPrimary.RunAsync(
                connection,
                context,
                async primary =>
                {
                    var pass = new ServerPass(primary, connection, keys, kinds, repair.Tolerance, options, metrics, context, timeProvider);
                    passes.Add(pass);
                    await pass.RunAsync(cancellationToken);
                },
                cancellationToken);
        }
        catch (BrakeException exception)
        {
            // Found, not mended: the gauges show it while the pass has failed.
            braked = exception;
        }

        SetSnapshot(passes, new Dictionary<string, ForeignFound>(StringComparer.Ordinal), context);
        if (foreign is not null)
        {
            var (found, foreignBraked) = await foreign.RunAsync(context, cancellationToken);
            SetSnapshot(passes, found, context);
            braked ??= foreignBraked;
        }

        if (braked is not null)
        {
            throw braked;
        }

        KeyspaceScan.WarnOfAnotherPrefix(
            context, keys, passes.Sum(pass => pass.State?.SessionKeys ?? 0), passes.Select(pass => pass.State?.OtherPrefix).FirstOrDefault(other => other is not null));
    }

    private static void SetSnapshot(List<ServerPass> passes, IReadOnlyDictionary<string, ForeignFound> foreign, JobContext context)
    {
        var swept = passes.Where(pass => pass.HasFigures).Select(pass => pass.State!).ToList();
        if (swept.Count > 0)
        {
            context.Report.SetSnapshot(PassState.Sum(swept).ToSnapshot() with { Foreign = foreign });
        }
    }
}
