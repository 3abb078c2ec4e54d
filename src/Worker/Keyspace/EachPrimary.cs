using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Keyspace;

/// <summary>
/// A job's work on every server that holds keys: the only one, or one primary of a cluster after the other. A primary that does not answer makes the run a
/// partial one, which says so and counts as failed, and the others are worked on all the same.
/// </summary>
internal static class EachPrimary
{
    /// <summary>Does the work.</summary>
    /// <returns>Whether every server took part.</returns>
    /// <exception cref="StorageUnavailableException">None answered.</exception>
    /// <exception cref="BrakeException">The brake stopped the work on one of them; the others were worked on.</exception>
    public static async Task<bool> RunAsync(
        RedisConnection connection, JobContext context, Func<RedisPrimary, Task> work, CancellationToken cancellationToken)
    {
        var primaries = await connection.GetPrimariesAsync(cancellationToken, KeyspaceScan.DeadlineOf(connection));
        if (primaries is [{ Node: null } only])
        {
            await work(only);
            return true;
        }

        var layout = await LayoutAsync(connection, cancellationToken);
        context.Report.Add("primaries", primaries.Count - context.Report.Count("primaries"));
        var failed = 0;
        BrakeException? braked = null;
        foreach (var primary in primaries)
        {
            try
            {
                await work(primary);
            }
            catch (BrakeException exception)
            {
                braked ??= exception;
            }
            catch (StorageUnavailableException exception)
            {
                if (++failed == primaries.Count)
                {
                    throw;
                }

                context.Report.Error($"Primary {primary.Name} did not take part, or not to the end; its keys are left for the next run. {exception.Message}");
            }
        }

        context.Report.Add("primaries_failed", failed);
        if (braked is not null)
        {
            throw braked;
        }

        if (failed == 0 && await LayoutAsync(connection, cancellationToken) != layout)
        {
            context.Report.Add("topology_changes");
            context.Report.Warn(
                "Slots moved, or another node took over, during this run. Nothing was repaired wrongly, because every repair looks again where the key is now; keys that were on their way may not have been looked at, and are at the next run.");
        }

        return failed == 0;
    }

    private static async Task<string?> LayoutAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            return (await connection.GetTopologyAsync(cancellationToken, KeyspaceScan.DeadlineOf(connection)))?.Layout;
        }
        catch (StorageUnavailableException)
        {
            // Only for a warning, and the run has seen what it could.
            return null;
        }
    }
}
